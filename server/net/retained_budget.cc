#include "server/net/retained_budget.h"

#include <algorithm>
#include <cassert>

namespace socketeer::net {

base::Result<uint64_t> RetainedCharge::Reserve(uint64_t least, uint64_t most) {
  const uint64_t own = budget_.max_per_socket_ - std::min(bytes_, budget_.max_per_socket_);
  if (own < least) return base::LimitReached("max_retained_bytes_per_socket", budget_.max_per_socket_);
  most = std::min(most, own);
  if (account_ != nullptr) {
    auto allowed = account_->TakeSome(quota::Count::kBufferedBytes, least, most);
    if (!allowed.ok()) return allowed;
    most = *allowed;
  }
  uint64_t used = budget_.used_.load(std::memory_order_relaxed);
  uint64_t granted = 0;
  do {
    granted = std::min(most, budget_.max_ - used);
    if (granted < least) {
      if (account_ != nullptr) account_->GiveBack(quota::Count::kBufferedBytes, most);
      return base::LimitReached("max_retained_bytes", budget_.max_);
    }
  } while (!budget_.used_.compare_exchange_weak(used, used + granted, std::memory_order_relaxed));
  if (account_ != nullptr) account_->GiveBack(quota::Count::kBufferedBytes, most - granted);
  bytes_ += granted;
  return granted;
}

void RetainedCharge::Settle(uint64_t bytes) {
  assert(bytes <= bytes_);
  if (bytes == bytes_) return;
  budget_.used_.fetch_sub(bytes_ - bytes, std::memory_order_relaxed);
  if (account_ != nullptr) account_->GiveBack(quota::Count::kBufferedBytes, bytes_ - bytes);
  bytes_ = bytes;
}

}  // namespace socketeer::net
