#include "server/coordination/values.h"

namespace socketeer::coordination {
namespace {

void Forget(std::map<std::string, uint32_t>& counts, const std::string& identity) {
  if (const auto found = counts.find(identity); --found->second == 0) counts.erase(found);
}

}  // namespace

base::Status Values::Check(const registry::Session& session, const std::string& id) const {
  if (session.ended() != registry::CloseReason::kNone) {
    return base::SessionGone(session.id(), CloseReasonWord(session.ended()));
  }
  if (const auto found = values_.find(id); found != values_.end()) {
    return found->second->owner() == session.owner() ? base::Ok() : base::ValueExists(id);
  }
  if (values_.size() >= limits_.max_values) return base::LimitReached("max_values", limits_.max_values);
  const auto mine = of_identity_.find(session.owner());
  if (mine != of_identity_.end() && mine->second >= limits_.max_values_per_identity) {
    return base::LimitReached("max_values_per_identity", limits_.max_values_per_identity);
  }
  return base::Ok();
}

base::Result<ValuePtr> Values::Publish(const registry::SessionPtr& session, const std::string& id, std::string data,
                                       bool shared) {
  ValuePtr value;
  std::vector<Appeared> told;
  {
    std::lock_guard lock(mutex_);
    if (auto status = Check(*session, id); !status.ok()) return std::move(status).error();
    value = std::make_shared<const Value>(Value{.id = id,
                                                .session = session,
                                                .data = std::move(data),
                                                .revision = ++revision_,
                                                .shared = shared,
                                                .publish_time = clock_.WallNow()});
    if (values_.insert_or_assign(id, value).second) ++of_identity_[session->owner()];
    told = TakeWaiters(*value);
  }
  for (const Appeared& appeared : told) appeared(value);
  return value;
}

base::Result<ValuePtr> Values::Withdraw(const std::string& owner, const std::string& id, uint64_t revision) {
  std::lock_guard lock(mutex_);
  const auto found = values_.find(id);
  if (found == values_.end() || found->second->owner() != owner) return base::ValueNotFound(id);
  if (revision != 0 && found->second->revision != revision) return base::ValueNotFound(id);
  ValuePtr value = std::move(found->second);
  values_.erase(found);
  Forget(of_identity_, owner);
  return value;
}

void Values::EndSession(const registry::Session& session) {
  std::lock_guard lock(mutex_);
  for (auto it = values_.begin(); it != values_.end();) {
    if (it->second->session.get() != &session) {
      ++it;
      continue;
    }
    Forget(of_identity_, session.owner());
    it = values_.erase(it);
  }
}

bool Values::Fits(const Value& value, const Wanted& wanted) {
  const bool visible = value.shared || value.owner() == wanted.identity;
  const bool meant = wanted.owner.empty() || value.owner() == wanted.owner;
  return visible && meant && value.revision > wanted.after_revision;
}

ValuePtr Values::FindLocked(const Wanted& wanted) const {
  const auto found = values_.find(wanted.id);
  return found != values_.end() && Fits(*found->second, wanted) ? found->second : nullptr;
}

ValuePtr Values::Find(const Wanted& wanted) const {
  std::lock_guard lock(mutex_);
  return FindLocked(wanted);
}

ValuePtr Values::FindOrWait(const Wanted& wanted, uint64_t waiter, Appeared appeared) {
  std::lock_guard lock(mutex_);
  ValuePtr found = FindLocked(wanted);
  if (!found) waiters_.emplace(std::pair(wanted.id, waiter), Waiter{.wanted = wanted, .appeared = std::move(appeared)});
  return found;
}

bool Values::StopWaiting(const std::string& id, uint64_t waiter) {
  std::lock_guard lock(mutex_);
  return waiters_.erase({id, waiter}) > 0;
}

std::vector<Values::Appeared> Values::TakeWaiters(const Value& value) {
  std::vector<Appeared> told;
  auto it = waiters_.lower_bound({value.id, 0});
  while (it != waiters_.end() && it->first.first == value.id) {
    if (!Fits(value, it->second.wanted)) {
      ++it;
      continue;
    }
    told.push_back(std::move(it->second.appeared));
    it = waiters_.erase(it);
  }
  return told;
}

std::pair<std::vector<ValuePtr>, bool> Values::List(const std::string& identity, bool with_shared,
                                                    const std::string& after, size_t limit) const {
  std::vector<ValuePtr> page;
  std::lock_guard lock(mutex_);
  for (auto it = values_.upper_bound(after); it != values_.end(); ++it) {
    const Value& value = *it->second;
    if (value.owner() != identity && !(with_shared && value.shared)) continue;
    if (page.size() == limit) return {std::move(page), true};
    page.push_back(it->second);
  }
  return {std::move(page), false};
}

size_t Values::size() const {
  std::lock_guard lock(mutex_);
  return values_.size();
}

}  // namespace socketeer::coordination
