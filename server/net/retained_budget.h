// How many bytes may be kept until they are acknowledged: for one socket, for all of an owner, and for all together.
//
// Whoever reads the kernel reserves before it reads, for what was read must be kept if its caller is gone. So the
// bounds are never exceeded.
#pragma once

#include <atomic>
#include <cstdint>

#include "server/base/result.h"
#include "server/quota/account.h"

namespace socketeer::net {

// Thread-safe. Must outlive its charges.
class RetainedBudget {
 public:
  RetainedBudget(uint64_t max_per_socket, uint64_t max) : max_per_socket_(max_per_socket), max_(max) {}

  // What is kept, and what is reserved by calls that read the kernel just now.
  uint64_t used() const { return used_.load(std::memory_order_relaxed); }

 private:
  friend class RetainedCharge;
  const uint64_t max_per_socket_;
  const uint64_t max_;
  std::atomic<uint64_t> used_{0};
};

// One socket's part of the budget, on its loop's thread.
class RetainedCharge {
 public:
  // `account`: the owner's, which must outlive this; null: it has no bound of its own.
  explicit RetainedCharge(RetainedBudget& budget, quota::Account* account = nullptr)
      : budget_(budget), account_(account) {}
  ~RetainedCharge() { Settle(0); }
  RetainedCharge(const RetainedCharge&) = delete;
  RetainedCharge& operator=(const RetainedCharge&) = delete;

  // Adds as much as there is room for, `least` to `most`, and says how much. LIMIT_REACHED if there is less.
  base::Result<uint64_t> Reserve(uint64_t least, uint64_t most);
  // It is `bytes` in all. Precondition: that much was reserved.
  void Settle(uint64_t bytes);

 private:
  RetainedBudget& budget_;
  quota::Account* const account_;
  uint64_t bytes_ = 0;
};

}  // namespace socketeer::net
