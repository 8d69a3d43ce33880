// How the registry's changes are read.
#include <utility>

#include "server/registry/registry.h"

namespace socketeer::registry {

std::pair<std::vector<Change>, uint64_t> Registry::Snapshot(const std::string& owner) {
  std::vector<Change> found;
  std::lock_guard lock(mutex_);
  for (const auto& [id, record] : sockets_) {
    if (record->phase_ != Record::Phase::kPublished || record->owner() != owner) continue;
    found.push_back({log_.last(), ChangeKind::kSnapshot, record, record->content_});
  }
  return {std::move(found), log_.last()};
}

base::Result<std::vector<Change>> Registry::ChangesBehind(uint64_t* revision, const std::string& owner, size_t limit) {
  std::vector<Change> found;
  std::lock_guard lock(mutex_);
  if (*revision < log_.lowest() || *revision > log_.last()) {
    return base::RevisionTooOld(*revision, log_.lowest(), log_.last());
  }
  for (; *revision < log_.last() && found.size() < limit; ++*revision) {
    const Change& change = log_.Behind(*revision);
    if (change.record->owner() == owner) found.push_back(change);
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

View Registry::Look(const Change& change) const { return ViewOf(*change.record, *change.content); }

}  // namespace socketeer::registry
