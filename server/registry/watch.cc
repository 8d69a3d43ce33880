// How the registry's changes are read.
#include <utility>

#include "server/registry/registry.h"

namespace socketeer::registry {

std::pair<std::vector<Change>, uint64_t> Registry::Snapshot(const std::string& identity) {
  std::vector<Change> found;
  std::lock_guard lock(mutex_);
  for (const auto& [id, record] : sockets_) {
    if (record->phase_ != Record::Phase::kPublished || AccessOf(*record, identity) == Access::kNone) continue;
    found.push_back({log_.last(), ChangeKind::kSnapshot, record, record->content_});
  }
  return {std::move(found), log_.last()};
}

base::Result<std::vector<Change>> Registry::ChangesBehind(uint64_t* revision, const std::string& identity,
                                                          size_t limit) {
  std::vector<Change> found;
  std::lock_guard lock(mutex_);
  if (*revision < log_.lowest() || *revision > log_.last()) {
    return base::RevisionTooOld(*revision, log_.lowest(), log_.last());
  }
  for (; *revision < log_.last() && found.size() < limit; ++*revision) {
    const Change& change = log_.Behind(*revision);
    if (!Concerns(change, identity)) continue;
    found.push_back(change);
    // For the owner it is still the same socket.
    if (change.grantee && *change.grantee != identity) found.back().kind = ChangeKind::kUpdated;
  }
  return found;
}

void Registry::WaitForChange(uint64_t waiter, uint64_t revision, std::function<void()> changed) {
  {
    std::lock_guard lock(mutex_);
    if (revision == log_.last()) {
      change_waiters_.insert_or_assign(waiter, std::move(changed));
      return;
    }
  }
  changed();
}

bool Registry::StopWaitingForChange(uint64_t waiter) {
  std::lock_guard lock(mutex_);
  return change_waiters_.erase(waiter) > 0;
}

// A grantee is told what happened since he has his grant, which he must have: so a watch that is resumed, or slow,
// tells nothing of a socket that was withdrawn meanwhile, but that it was.
bool Registry::Concerns(const Change& change, const std::string& identity) {
  const Record& record = *change.record;
  if (record.owner_ == identity) return true;
  if (change.grantee && *change.grantee != identity) return false;
  if (change.kind == ChangeKind::kUnshared) return true;
  return AccessOf(record, identity) != Access::kNone && change.revision >= record.grants_->SinceOf(identity);
}

std::optional<View> Registry::Look(const Change& change, const std::string& identity) const {
  const Record& record = *change.record;
  if (record.owner_ == identity) return ViewOf(record, *change.content);
  if (change.kind == ChangeKind::kUnshared) {
    View bare{};
    bare.name = record.name_;
    bare.uid = record.uid();
    return bare;
  }
  std::lock_guard lock(mutex_);
  if (AccessOf(record, identity) == Access::kNone) return std::nullopt;
  return ViewFor(record, *change.content, identity);
}

}  // namespace socketeer::registry
