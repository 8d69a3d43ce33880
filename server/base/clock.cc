#include "server/base/clock.h"

namespace socketeer::base {
namespace {

class HostClock : public Clock {
 public:
  MonotonicTime Now() const override { return std::chrono::steady_clock::now(); }
  WallTime WallNow() const override { return std::chrono::system_clock::now(); }
};

}  // namespace

Clock& SystemClock() {
  static Clock& clock = *new HostClock;  // never destroyed: threads may outlive static objects
  return clock;
}

}  // namespace socketeer::base
