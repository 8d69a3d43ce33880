#include "server/base/counters.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace socketeer::base {
namespace {

using namespace std::chrono_literals;

Durations::Reading Read(const Durations& durations) {
  Durations::Reading reading;
  durations.ReadInto(&reading);
  return reading;
}

TEST(Counter, LosesNothingOfWhatThreadsAddAtOnce) {
  Counter counter;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&counter] {
      for (int j = 0; j < 10'000; ++j) counter.Add();
      counter.Add(5);
    });
  }
  for (std::thread& each : threads) each.join();
  EXPECT_EQ(counter.value(), 40'020u);
}

TEST(Durations, PutsEachInTheFirstClassThatHoldsIt) {
  Durations durations;
  durations.Observe(50us);  // the bound belongs to its class
  durations.Observe(50us + 1ns);
  durations.Observe(1s);
  durations.Observe(61s);
  durations.Observe(-1ns);  // a clock of a test that was set back
  const Durations::Reading reading = Read(durations);
  EXPECT_EQ(reading.counts[0], 2u);
  EXPECT_EQ(reading.counts[1], 1u);
  EXPECT_EQ(reading.counts[13], 1u) << "1 s";
  EXPECT_EQ(reading.counts.back(), 1u) << "longer than all";
  EXPECT_EQ(reading.count(), 5u);
  EXPECT_EQ(reading.sum, 62s + 100us + 1ns);
}

TEST(Durations, ItsClassesGrow) {
  EXPECT_TRUE(std::is_sorted(Durations::kBounds.begin(), Durations::kBounds.end()));
  EXPECT_EQ(Durations::kBounds.front(), 50us);
  EXPECT_EQ(Durations::kBounds[13], 1s);
  EXPECT_EQ(Durations::kBounds.back(), 60s);
}

TEST(Durations, ReadingsAddUp) {
  Durations one, other;
  one.Observe(1ms);
  other.Observe(1ms);
  other.Observe(2s);
  Durations::Reading both;
  one.ReadInto(&both);
  other.ReadInto(&both);
  EXPECT_EQ(both.count(), 3u);
  EXPECT_EQ(both.sum, 2s + 2ms);
}

}  // namespace
}  // namespace socketeer::base
