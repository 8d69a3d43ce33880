// A clock that stands still until the test moves it.
#pragma once

#include <chrono>
#include <mutex>

#include "server/base/clock.h"

namespace socketeer::testing {

// Thread-safe. Starts well after both epochs, so that tests can also look back.
class ManualClock : public base::Clock {
 public:
  base::MonotonicTime Now() const override {
    std::lock_guard lock(mutex_);
    return now_;
  }
  base::WallTime WallNow() const override {
    std::lock_guard lock(mutex_);
    return wall_now_;
  }

  // Both clocks go on by so much.
  void Advance(std::chrono::nanoseconds by) {
    std::lock_guard lock(mutex_);
    now_ += by;
    wall_now_ += by;
  }
  // Only the wall clock jumps, in either direction, as when somebody sets it.
  void JumpWall(std::chrono::nanoseconds by) {
    std::lock_guard lock(mutex_);
    wall_now_ += by;
  }

 private:
  mutable std::mutex mutex_;
  base::MonotonicTime now_{std::chrono::hours(1000)};
  base::WallTime wall_now_{std::chrono::hours(500'000)};  // in 2027
};

}  // namespace socketeer::testing
