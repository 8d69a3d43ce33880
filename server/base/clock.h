// The seam to time: everything that waits or measures asks a Clock, so that tests can inject one
// and never sleep.
#pragma once

#include <chrono>

namespace socketeer::base {

using MonotonicTime = std::chrono::steady_clock::time_point;
using WallTime = std::chrono::system_clock::time_point;

// Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;

  // For durations and deadlines: never goes back.
  virtual MonotonicTime Now() const = 0;
  // For people and for other hosts: may jump.
  virtual WallTime WallNow() const = 0;
};

// The host's clocks; lives for ever.
Clock& SystemClock();

}  // namespace socketeer::base
