// What one identity uses of the daemon, against what it may, and against what all may together.
//
// Found once, for a session, and then held: by its sockets, its calls, and whatever else takes from it. Thread-safe.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "server/base/clock.h"
#include "server/base/result.h"
#include "server/quota/allowance.h"
#include "server/quota/bucket.h"

namespace socketeer::quota {

// Of one identity, or of all. Only Account takes from it.
class Pool {
 public:
  explicit Pool(std::string name) : name_(std::move(name)) {}

  // From now on. What is in use stays so, also beyond it.
  void Set(const Allowance& allowance, base::MonotonicTime now);
  uint64_t used(Count count) const { return of(count).used.load(std::memory_order_relaxed); }
  uint64_t allowed(Count count) const { return of(count).allowed.load(std::memory_order_relaxed); }
  WhenExceeded when_exceeded() const { return when_exceeded_.load(std::memory_order_relaxed); }
  Bucket& bucket(Rate rate) { return buckets_[static_cast<size_t>(rate)]; }
  bool limits(Rate rate) const { return limited_[static_cast<size_t>(rate)].load(std::memory_order_relaxed); }

  // As much as there is room for, `least` to `most`. LIMIT_REACHED if there is less.
  base::Result<uint64_t> Take(Count count, uint64_t least, uint64_t most);
  void GiveBack(Count count, uint64_t amount) { of(count).used.fetch_sub(amount, std::memory_order_relaxed); }
  base::Error Reached(Rate rate) const;

 private:
  struct Counted {
    std::atomic<uint64_t> used{0};
    std::atomic<uint64_t> allowed{kUnlimited};
  };
  Counted& of(Count count) { return counts_[static_cast<size_t>(count)]; }
  const Counted& of(Count count) const { return counts_[static_cast<size_t>(count)]; }

  const std::string name_;  // for errors
  std::array<Counted, kCounts> counts_;
  std::array<Bucket, kRates> buckets_;
  std::array<std::atomic<bool>, kRates> limited_{};
  std::atomic<WhenExceeded> when_exceeded_{WhenExceeded::kDelay};
};

// Who asks for a rate that is used up...
enum class Patience {
  kNone,          // is refused
  kAsConfigured,  // waits or is refused
  kAlways,        // waits
};

class Account;
using AccountPtr = std::shared_ptr<Account>;

// Something taken from an account, given back once: by its end, or before. Empty: nothing. Keeps the account.
class Hold {
 public:
  Hold() = default;
  Hold(AccountPtr account, Count count, uint64_t amount)
      : account_(std::move(account)), count_(count), amount_(amount) {}
  Hold(Hold&& other) noexcept : account_(std::move(other.account_)), count_(other.count_), amount_(other.amount_) {}
  Hold& operator=(Hold&& other) noexcept {
    if (this == &other) return *this;
    GiveBack();
    account_ = std::move(other.account_);
    count_ = other.count_;
    amount_ = other.amount_;
    return *this;
  }
  ~Hold() { GiveBack(); }

  void GiveBack();

 private:
  AccountPtr account_;
  Count count_ = Count::kSockets;
  uint64_t amount_ = 0;
};

class Account : public std::enable_shared_from_this<Account> {
 public:
  // The clock must outlive it.
  Account(const std::string& identity, std::shared_ptr<Pool> total, const base::Clock& clock)
      : own_(identity), total_(std::move(total)), clock_(clock) {}

  Pool& own() { return own_; }

  // LIMIT_REACHED, of whichever is reached: the identity's, or that of all.
  base::Result<Hold> Take(Count count, uint64_t amount = 1);
  // The same for who keeps count by itself: as much as there is room for, `least` to `most`.
  base::Result<uint64_t> TakeSome(Count count, uint64_t least, uint64_t most);
  void GiveBack(Count count, uint64_t amount);

  // May another open be made? Zero: yes, and it is counted. More: not before so long, then ask again. LIMIT_REACHED:
  // where that is to be refused, not waited for.
  base::Result<std::chrono::nanoseconds> AskToOpen() { return Ask(Rate::kOpens, 1, Patience::kAsConfigured); }
  // The same when it is known only later whether there is one; then CountOpen().
  base::Result<std::chrono::nanoseconds> AskWhetherToOpen(Patience patience = Patience::kAsConfigured) {
    return Ask(Rate::kOpens, 0, patience);
  }
  void CountOpen() { Charge(Rate::kOpens, 1); }
  // May bytes be moved? As AskToOpen(); those that were are counted afterwards.
  base::Result<std::chrono::nanoseconds> AskToMove(Patience patience = Patience::kAsConfigured) {
    return Ask(Rate::kBytes, 0, patience);
  }
  void CountBytes(uint64_t bytes) { Charge(Rate::kBytes, bytes); }
  // Is there a rate of bytes at all?
  bool limits_bytes() const { return own_.limits(Rate::kBytes) || total_->limits(Rate::kBytes); }
  // Does a wait for it mean to be refused, for one of both?
  bool refuses_bytes() const;
  // How many bytes to move at once, so that what is delayed flows, and does not come in gulps.
  uint64_t BytesAtOnce();

  // Nothing is in use, and it would be no other if it were made anew.
  bool idle();

 private:
  base::Result<std::chrono::nanoseconds> Ask(Rate rate, uint64_t charge, Patience patience);
  void Charge(Rate rate, uint64_t count);

  Pool own_;
  const std::shared_ptr<Pool> total_;
  const base::Clock& clock_;
};

}  // namespace socketeer::quota
