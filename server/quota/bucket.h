// A token bucket: so much a second, and what a pause saved up, at most a burst.
//
// Who asks is let in while at least one token is there, and is charged for what it then moved, which may overdraw the
// bucket: the next one waits until that is made up for. So what went through never exceeds rate x time by more than the
// burst and the one who overdrew it, and nobody needs to know beforehand how much the kernel will take.
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>

#include "server/base/clock.h"
#include "server/quota/allowance.h"

namespace socketeer::quota {

// Thread-safe. Full when it is made.
class Bucket {
 public:
  // From now on. What was saved up stays, as far as the new burst allows; a rate where there was none begins full.
  void Set(const RateTerms& terms, base::MonotonicTime now);
  RateTerms terms() const;

  // Zero: the caller is let in, and charged `charge` in the same moment. Else: nothing was done, ask again after so
  // long, at most kLongestWait. Those who wait get times of their own, in their order: or all would come at once, of
  // whom one gets in.
  std::chrono::nanoseconds Ask(base::MonotonicTime now, uint64_t charge = 0);
  void Charge(uint64_t count, base::MonotonicTime now);
  // What was charged and not used.
  void Refund(uint64_t count, base::MonotonicTime now);
  // Tokens there; 0 when it is overdrawn, kUnlimited without a rate.
  uint64_t Available(base::MonotonicTime now);
  bool Full(base::MonotonicTime now);

 private:
  void Refill(base::MonotonicTime now);

  mutable std::mutex mutex_;  // guards all below
  RateTerms terms_;
  double tokens_ = 0;  // negative: overdrawn
  base::MonotonicTime filled_{};
  base::MonotonicTime next_look_{};  // of the last one who was told to wait
};

// So that a new allowance is noticed by those who wait for the old one.
inline constexpr std::chrono::seconds kLongestWait{1};

}  // namespace socketeer::quota
