#include "server/base/clock.h"

#include <gtest/gtest.h>

#include "tests/support/manual_clock.h"

namespace socketeer::base {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(SystemClock, IsTheHostsClocks) {
  const auto before = std::chrono::steady_clock::now();
  const auto wall_before = std::chrono::system_clock::now();
  const MonotonicTime now = SystemClock().Now();
  const WallTime wall_now = SystemClock().WallNow();
  EXPECT_LE(before, now);
  EXPECT_LE(now, std::chrono::steady_clock::now());
  EXPECT_LT(std::chrono::abs(wall_now - wall_before), seconds(60)) << "unless somebody sets the clock right now";
}

TEST(SystemClock, IsAlwaysTheSame) { EXPECT_EQ(&SystemClock(), &SystemClock()); }

TEST(ManualClock, MovesOnlyWhenItIsMoved) {
  testing::ManualClock clock;
  const MonotonicTime now = clock.Now();
  const WallTime wall_now = clock.WallNow();
  EXPECT_EQ(clock.Now(), now);
  clock.Advance(milliseconds(1500));
  EXPECT_EQ(clock.Now() - now, milliseconds(1500));
  EXPECT_EQ(clock.WallNow() - wall_now, milliseconds(1500));
}

TEST(ManualClock, AWallThatJumpsBackLeavesTheMonotonicClockAlone) {
  testing::ManualClock clock;
  const MonotonicTime now = clock.Now();
  const WallTime wall_now = clock.WallNow();
  clock.JumpWall(seconds(-30));
  EXPECT_EQ(clock.Now(), now);
  EXPECT_EQ(wall_now - clock.WallNow(), seconds(30));
}

}  // namespace
}  // namespace socketeer::base
