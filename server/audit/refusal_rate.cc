#include "server/audit/refusal_rate.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace socketeer::audit {
namespace {

// A full table is looked through no more often: it costs what some refusals cost.
constexpr std::chrono::seconds kLookEvery{1};

double TokensAfter(double tokens, std::chrono::nanoseconds pause) {
  const double more = std::chrono::duration<double>(pause).count() * kRefusalsPerSecond;
  return std::min<double>(tokens + more, kRefusalBurst);
}

}  // namespace

std::optional<uint64_t> RefusalRate::Ask(const std::string& identity, base::MonotonicTime now) {
  std::lock_guard lock(mutex_);
  Entry& entry = EntryOf(identity, now);
  if (now > entry.filled) {  // threads may come in another order than their times
    entry.tokens = TokensAfter(entry.tokens, now - entry.filled);
    entry.filled = now;
  }
  if (entry.tokens < 1) {
    ++entry.left_out;
    return std::nullopt;
  }
  entry.tokens -= 1;
  return std::exchange(entry.left_out, 0);
}

RefusalRate::Entry& RefusalRate::EntryOf(const std::string& identity, base::MonotonicTime now) {
  if (const auto found = entries_.find(identity); found != entries_.end()) return found->second;
  if (entries_.size() >= max_identities_) ForgetQuiet(now);
  const bool room = entries_.size() < max_identities_;
  return entries_.try_emplace(room ? identity : "", Entry{.filled = now}).first->second;
}

// They would be no others if they were made anew.
void RefusalRate::ForgetQuiet(base::MonotonicTime now) {
  if (looked_ && now - *looked_ < kLookEvery) return;
  looked_ = now;
  std::erase_if(entries_, [now](const auto& each) {
    const Entry& entry = each.second;
    return entry.left_out == 0 && TokensAfter(entry.tokens, now - entry.filled) >= kRefusalBurst;
  });
}

std::vector<RefusalRate::LeftOut> RefusalRate::TakeLeftOut() {
  std::vector<LeftOut> taken;
  std::lock_guard lock(mutex_);
  for (auto& [identity, entry] : entries_) {
    if (entry.left_out > 0) taken.push_back({identity, std::exchange(entry.left_out, 0)});
  }
  return taken;
}

size_t RefusalRate::size() const {
  std::lock_guard lock(mutex_);
  return entries_.size();
}

}  // namespace socketeer::audit
