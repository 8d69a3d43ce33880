#include <gmock/gmock.h>

#include "client/scenario/clock.h"
#include "tests/scenario/run_rig.h"

namespace socketeer::scenario {
namespace {

// A host whose wall clock is wrong by so much.
class SkewedClock : public base::Clock {
 public:
  explicit SkewedClock(std::chrono::milliseconds by) : by_(by) {}
  base::MonotonicTime Now() const override { return base::SystemClock().Now(); }
  base::WallTime WallNow() const override { return base::SystemClock().WallNow() + by_; }

 private:
  const std::chrono::milliseconds by_;
};

class RunClockTest : public RunTest {};

TEST_F(RunClockTest, HostsWhoseClocksAreSecondsApartTellOneOrder) {
  const SkewedClock ahead(std::chrono::milliseconds(2500));
  const SkewedClock behind(std::chrono::milliseconds(-4000));
  const TestServer first({.clock = &ahead});
  const TestServer second({.clock = &behind});
  addresses_ = {{"a", const_cast<TestServer&>(first).server().addresses()[0]},
                {"b", const_cast<TestServer&>(second).server().addresses()[0]}};
  const ScenarioResult result = RunText(R"(
name: clocks
hosts: [a, b]
steps:
  - {on: a, open: {socket: s1, kind: tcp, bind: "127.0.0.1:0", listen: true}}
  - {on: b, open: {socket: s2, kind: tcp, bind: "127.0.0.1:0", listen: true}}
  - {on: a, open: {socket: s3, kind: tcp, bind: "127.0.0.1:0", listen: true}}
  - {on: b, open: {socket: s4, kind: tcp, bind: "127.0.0.1:0", listen: true}}
)");
  ASSERT_EQ(result.verdict, Verdict::kPassed) << result.message;
  ASSERT_EQ(result.clocks.size(), 2U);
  for (size_t i = 0; i < 2; ++i) {
    const report::Clock& clock = result.clocks[i];
    const absl::Duration truth = absl::Milliseconds(i == 0 ? 2500 : -4000);
    EXPECT_TRUE(clock.known);
    EXPECT_GT(clock.bound, absl::ZeroDuration());
    EXPECT_LE(absl::AbsDuration(clock.offset - truth), clock.bound) << clock.host << " " << clock.offset;
  }
  ASSERT_EQ(result.events.size(), 4U);
  absl::Time before = result.start;
  for (const Event& event : result.events) {
    ASSERT_TRUE(event.at_host.has_value()) << event.title;
    EXPECT_GE(*event.at_host, event.start);
    EXPECT_LE(*event.at_host, event.end);
    EXPECT_GE(*event.at_host, before) << event.title;
    before = *event.at_host;
  }
}

constexpr ClockReading Reading(int64_t at, int64_t offset, int64_t bound) {
  return {.at = absl::FromUnixSeconds(at), .offset = absl::Seconds(offset), .bound = absl::Seconds(bound)};
}

TEST(Clocks, WhatHoldsForTheWholeRunCoversBothReadings) {
  const ClockReading joined = Joined(Reading(0, 10, 1), Reading(100, 14, 1), absl::FromUnixSeconds(100));
  EXPECT_EQ(joined.offset, absl::Seconds(12));
  EXPECT_EQ(joined.bound, absl::Seconds(3));
}

TEST(Clocks, OneThatCannotBeReadAgainMayHaveDrifted) {
  const ClockReading joined = Joined(Reading(0, 10, 1), std::nullopt, absl::FromUnixSeconds(1000));
  EXPECT_EQ(joined.offset, absl::Seconds(10));
  EXPECT_EQ(joined.bound, absl::Milliseconds(1200));
}

TEST(Clocks, AHostsTimeNeverLeavesTheStep) {
  const absl::Time start = absl::FromUnixSeconds(100);
  const absl::Time end = absl::FromUnixSeconds(101);
  EXPECT_EQ(AtHost(absl::FromUnixSeconds(50), absl::ZeroDuration(), start, end), start);
  EXPECT_EQ(AtHost(absl::FromUnixSeconds(150), absl::ZeroDuration(), start, end), end);
  EXPECT_EQ(AtHost(absl::FromUnixMillis(150'500), absl::Seconds(50), start, end), absl::FromUnixMillis(100'500));
}

}  // namespace
}  // namespace socketeer::scenario
