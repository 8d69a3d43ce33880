// How the registry shares a socket with others than its owner. What a caller may do, and what it has under way by that,
// is looked at and noted in one critical section, so nothing begins by a grant that is being withdrawn.
#include <algorithm>
#include <utility>

#include "server/registry/registry.h"
#include "server/registry/transaction.h"

namespace socketeer::registry {

Access Registry::AccessOf(const Record& record, const std::string& identity) {
  if (record.owner_ == identity) return Access::kOwn;
  return record.grants_ ? record.grants_->Of(identity) : Access::kNone;
}

base::Status Registry::Check(const Record& record, const std::string& identity, Access need) {
  const Access access = AccessOf(record, identity);
  if (access >= need) return base::Ok();
  if (access == Access::kNone) return base::SocketNotFound(record.id());
  return base::GrantInsufficient(record.id(), AccessWord(access), AccessWord(need));
}

base::Status Registry::Enter(const RecordPtr& record, const std::string& identity, Access need, uint64_t id,
                             Grants::Ender end) {
  std::lock_guard lock(mutex_);
  auto status = Check(*record, identity, need);
  if (status.ok() && record->owner_ != identity) record->grants_->Enter(id, identity, need, std::move(end));
  return status;
}

void Registry::Leave(const RecordPtr& record, uint64_t id) {
  std::lock_guard lock(mutex_);
  if (!record->grants_) return;
  record->grants_->Leave(id);
  if (record->grants_->empty()) record->grants_.reset();
}

base::Result<Registry::Shared> Registry::Share(const RecordPtr& record, const std::string& identity, Access access) {
  std::vector<Grants::Ender> ended;
  std::vector<Appeared> appeared;
  auto shared = Share(record, identity, access, &ended, &appeared);
  for (const Grants::Ender& end : ended) end(base::GrantWithdrawn(record->name()));
  for (const Appeared& tell : appeared) tell(record);
  return shared;
}

base::Result<Registry::Shared> Registry::Share(const RecordPtr& record, const std::string& identity, Access access,
                                               std::vector<Grants::Ender>* ended, std::vector<Appeared>* appeared) {
  const Transaction transaction(*this);
  if (record->phase_ != Record::Phase::kPublished) return GoneError(*record);
  const Access before = AccessOf(*record, identity);
  if (access == Access::kNone && before == Access::kNone) return base::GrantNotFound(record->id(), identity);
  if (!record->grants_) record->grants_ = std::make_unique<Grants>();
  Grants& grants = *record->grants_;
  if (before == Access::kNone && grants.size() >= limits_.max_grants_per_socket) {
    return base::LimitReached("max_grants_per_socket", limits_.max_grants_per_socket);
  }
  if (access != before) {
    grants.Set(identity, access, log_.last() + 1);
    const ChangeKind told = before == Access::kNone   ? ChangeKind::kShared
                            : access == Access::kNone ? ChangeKind::kUnshared
                                                      : ChangeKind::kUpdated;
    log_.Append(told, record, record->content_, std::make_shared<const std::string>(identity));
    if (before == Access::kNone) *appeared = TakeNameWaiters(*record, identity);
  }
  *ended = grants.EndersOf(identity);
  Shared shared{.view = ViewFor(*record, *record->content_, record->owner_), .took = access < before};
  shared.view.grants = grants.List();
  if (grants.empty()) record->grants_.reset();
  return shared;
}

std::vector<Registry::Appeared> Registry::TakeNameWaiters(const Record& record, const std::string& identity) {
  std::vector<Appeared> told;
  auto it = name_waiters_.lower_bound({record.id(), 0});
  while (it != name_waiters_.end() && it->first.first == record.id()) {
    const NameWaiter& waiter = it->second;
    if (waiter.identity != identity || (!waiter.uid.empty() && waiter.uid != record.uid())) {
      ++it;
      continue;
    }
    told.push_back(std::move(it->second.appeared));
    it = name_waiters_.erase(it);
  }
  return told;
}

std::optional<View> Registry::LookAs(const RecordPtr& record, const std::string& identity, bool with_grants) {
  std::lock_guard lock(mutex_);
  const Access access = AccessOf(*record, identity);
  if (access == Access::kNone) return std::nullopt;
  View view = ViewFor(*record, *record->content_, identity);
  if (!with_grants || !record->grants_) return view;
  if (access == Access::kOwn) {
    view.grants = record->grants_->List();
  } else {
    view.grants = {{.identity = identity, .access = access}};
  }
  return view;
}

View Registry::ViewFor(const Record& record, const Content& content, const std::string& identity) {
  View view = ViewOf(record, content);
  view.access = AccessOf(record, identity);
  if (view.access != Access::kOwn) view.session.clear();  // a name among the owner's, as the caller has his own
  return view;
}

}  // namespace socketeer::registry
