#include "server/registry/grants.h"

#include <utility>

namespace socketeer::registry {

const char* AccessWord(Access access) {
  switch (access) {
    case Access::kNone:
      break;
    case Access::kObserve:
      return "OBSERVE";
    case Access::kUse:
      return "USE";
    case Access::kOwn:
      return "OWNER";
  }
  return "NONE";
}

Access Grants::Of(const std::string& identity) const {
  const auto found = entries_.find(identity);
  return found == entries_.end() ? Access::kNone : found->second.access;
}

std::vector<Grant> Grants::List() const {
  std::vector<Grant> list;
  list.reserve(entries_.size());
  for (const auto& [identity, entry] : entries_) list.push_back({.identity = identity, .access = entry.access});
  return list;
}

void Grants::Set(const std::string& identity, Access access, uint64_t revision) {
  if (access == Access::kNone) {
    entries_.erase(identity);
    return;
  }
  const auto [entry, added] = entries_.try_emplace(identity, Entry{.access = access, .since = revision});
  if (!added) entry->second.access = access;
}

std::vector<Grants::Ender> Grants::EndersOf(const std::string& identity) const {
  const Access access = Of(identity);
  std::vector<Ender> enders;
  for (const auto& [id, use] : uses_) {
    if (use.identity == identity && use.need > access) enders.push_back(use.end);
  }
  return enders;
}

}  // namespace socketeer::registry
