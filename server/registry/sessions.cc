#include "server/registry/sessions.h"

#include "server/base/random.h"
#include "server/registry/registry.h"

namespace socketeer::registry {

base::Result<SessionPtr> Sessions::Create(const std::string& owner, const std::string& id, Terms terms) {
  if (!id.empty() && (!IsSocketId(id) || id == kStandingId)) {
    return base::InvalidField("session_id", id, "[a-z][a-z0-9-]{0,62}, and not \"standing\"");
  }
  const std::string chosen = id.empty() ? base::RandomSocketId() : id;
  std::lock_guard lock(mutex_);
  if (sessions_.contains({owner, chosen})) return base::SessionExists(chosen);
  if (sessions_.size() - standing_ >= limits_.max_sessions) {
    return base::LimitReached("max_sessions", limits_.max_sessions);
  }
  quota::AccountPtr account = AccountOf(owner);
  quota::Hold place;
  if (account) {
    auto taken = account->Take(quota::Count::kSessions);
    if (!taken.ok()) return std::move(taken).error();
    place = *std::move(taken);
  }
  return Make(owner, chosen, terms, std::move(account), std::move(place));
}

SessionPtr Sessions::Make(const std::string& owner, const std::string& id, Terms terms, quota::AccountPtr account,
                          quota::Hold place) {
  auto session =
      std::make_shared<Session>(id, owner, terms, clock_.WallNow(), clock_.Now(), std::move(account), std::move(place));
  sessions_.emplace(Key(owner, id), session);
  counters_.created.Add();
  return session;
}

base::Result<SessionPtr> Sessions::Find(const std::string& owner, const std::string& id) {
  if (id == kStandingId) return Standing(owner);
  std::lock_guard lock(mutex_);
  if (const auto found = sessions_.find({owner, id}); found != sessions_.end()) return found->second;
  if (const auto ended = ended_.find({owner, id}); ended != ended_.end()) {
    return base::SessionGone(id, CloseReasonWord(ended->second));
  }
  return base::SessionNotFound(id);
}

SessionPtr Sessions::Standing(const std::string& owner) {
  SessionPtr made;
  {
    std::lock_guard lock(mutex_);
    if (const auto found = sessions_.find({owner, kStandingId}); found != sessions_.end()) return found->second;
    ++standing_;
    made = Make(owner, kStandingId, {.ttl = base::kStandingTtl, .grace = {}}, AccountOf(owner), {});
  }
  if (told_) told_(*made);
  return made;
}

std::pair<std::vector<SessionPtr>, bool> Sessions::List(const std::string& owner, const std::string& after,
                                                        size_t limit) {
  std::vector<SessionPtr> page;
  std::lock_guard lock(mutex_);
  for (auto it = sessions_.upper_bound({owner, after}); it != sessions_.end() && it->first.first == owner; ++it) {
    if (page.size() == limit) return {std::move(page), true};
    page.push_back(it->second);
  }
  return {std::move(page), false};
}

std::vector<SessionPtr> Sessions::All() const {
  std::vector<SessionPtr> all;
  std::lock_guard lock(mutex_);
  for (const auto& [key, session] : sessions_) all.push_back(session);
  return all;
}

std::optional<std::vector<Session::Ender>> Sessions::End(const SessionPtr& session, CloseReason why) {
  const Key key(session->owner(), session->id());
  std::lock_guard lock(mutex_);
  const auto found = sessions_.find(key);
  if (found == sessions_.end() || found->second != session) return std::nullopt;
  sessions_.erase(found);
  if (session->id() == kStandingId) --standing_;
  Remember(key, why);
  counters_.ended[static_cast<size_t>(why)].Add();
  return session->End(why);
}

void Sessions::Remember(const Key& key, CloseReason why) {
  if (ended_.insert_or_assign(key, why).second) ended_order_.push_back(key);
  if (ended_order_.size() <= base::kMaxEndedRemembered) return;
  ended_.erase(ended_order_.front());
  ended_order_.pop_front();
}

size_t Sessions::size() const {
  std::lock_guard lock(mutex_);
  return sessions_.size();
}

}  // namespace socketeer::registry
