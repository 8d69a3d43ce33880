// A moment that something is to happen at. Private to the library.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <utility>

#include "absl/time/time.h"
#include "grpc/support/time.h"
#include "grpcpp/alarm.h"

namespace socketeer::internal {

// One at a time: Start forgets the moment before. Its owner's lock guards it, and `then` takes that lock itself: it is
// called on a thread of gRPC's, never inside of Start or Stop.
class StreamTimer {
 public:
  // `then` gets the number that current() has meanwhile, unless the moment was forgotten. It may come early, with Ring.
  template <typename Then>
  void Start(absl::Duration within, Then then) {
    Stop();
    if (within == absl::InfiniteDuration()) return;
    alarm_ = std::make_unique<grpc::Alarm>();
    alarm_->Set(DeadlineAfter(within), [then = std::move(then), number = number_](bool) { then(number); });
  }
  void Stop() {
    ++number_;
    alarm_.reset();
  }
  // Now.
  void Ring() {
    if (alarm_ != nullptr) alarm_->Cancel();
  }
  bool Running(uint64_t number) const { return number == number_; }
  bool running() const { return alarm_ != nullptr; }

 private:
  static gpr_timespec DeadlineAfter(absl::Duration within) {
    const int64_t nanoseconds =
        absl::ToInt64Nanoseconds(std::clamp(within, absl::ZeroDuration(), absl::Hours(24 * 365)));
    return gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_nanos(nanoseconds, GPR_TIMESPAN));
  }

  uint64_t number_ = 0;
  std::unique_ptr<grpc::Alarm> alarm_;
};

}  // namespace socketeer::internal
