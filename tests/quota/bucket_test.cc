#include "server/quota/bucket.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <thread>
#include <vector>

#include "tests/support/manual_clock.h"

namespace socketeer::quota {
namespace {

using namespace std::chrono_literals;
using testing::ManualClock;

constexpr RateTerms kTerms{.per_second = 1'000, .burst = 250};

TEST(Bucket, WithoutARateEverybodyIsLetIn) {
  Bucket bucket;
  const ManualClock clock;
  EXPECT_EQ(bucket.Ask(clock.Now(), 1'000'000), 0ns);
  EXPECT_EQ(bucket.Available(clock.Now()), kUnlimited);
  EXPECT_TRUE(bucket.Full(clock.Now()));
}

TEST(Bucket, BeginsFullAndFillsNoHigher) {
  Bucket bucket;
  ManualClock clock;
  bucket.Set(kTerms, clock.Now());
  EXPECT_EQ(bucket.Available(clock.Now()), 250u);
  clock.Advance(10s);
  EXPECT_EQ(bucket.Available(clock.Now()), 250u);
  bucket.Charge(100, clock.Now());
  EXPECT_FALSE(bucket.Full(clock.Now()));
  clock.Advance(50ms);
  EXPECT_EQ(bucket.Available(clock.Now()), 200u);
  clock.Advance(50ms);
  EXPECT_TRUE(bucket.Full(clock.Now()));
}

TEST(Bucket, WhoIsLetInMayOverdrawItAndTheNextOneWaits) {
  Bucket bucket;
  ManualClock clock;
  bucket.Set(kTerms, clock.Now());
  EXPECT_EQ(bucket.Ask(clock.Now()), 0ns);
  bucket.Charge(649, clock.Now());  // 399 too many
  EXPECT_EQ(bucket.Available(clock.Now()), 0u);
  EXPECT_EQ(bucket.Ask(clock.Now()), 400ms);
  clock.Advance(399ms);
  EXPECT_GT(bucket.Ask(clock.Now()), 0ns);
  clock.Advance(1ms);
  EXPECT_EQ(bucket.Ask(clock.Now()), 0ns);
}

TEST(Bucket, AskingWithAChargeIsOneStep) {
  Bucket bucket;
  const ManualClock clock;
  bucket.Set({.per_second = 20, .burst = 20}, clock.Now());
  std::atomic<int> let_in{0};
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        for (int j = 0; j < 100; ++j) let_in += bucket.Ask(clock.Now(), 1) == 0ns;
      });
    }
  }
  EXPECT_EQ(let_in, 20);
}

TEST(Bucket, WhatWasNotUsedIsPutBack) {
  Bucket bucket;
  const ManualClock clock;
  bucket.Set(kTerms, clock.Now());
  bucket.Charge(100, clock.Now());
  bucket.Refund(40, clock.Now());
  EXPECT_EQ(bucket.Available(clock.Now()), 190u);
  bucket.Refund(1'000, clock.Now());
  EXPECT_EQ(bucket.Available(clock.Now()), 250u);
}

// All at once, of whom one gets in, would be load without use.
TEST(Bucket, ThoseWhoWaitComeOneAfterTheOther) {
  Bucket bucket;
  const ManualClock clock;
  bucket.Set(kTerms, clock.Now());
  bucket.Charge(350, clock.Now());
  std::vector<std::chrono::nanoseconds> waits;
  for (int i = 0; i < 1'000; ++i) waits.push_back(bucket.Ask(clock.Now()));
  EXPECT_EQ(waits.front(), 101ms);
  EXPECT_TRUE(std::ranges::is_sorted(waits));
  EXPECT_EQ(std::ranges::adjacent_find(waits), waits.end());
}

TEST(Bucket, NobodyWaitsForLongWithoutAskingAgain) {
  Bucket bucket;
  ManualClock clock;
  bucket.Set({.per_second = 1, .burst = 1}, clock.Now());
  bucket.Charge(1'000'000, clock.Now());
  for (int i = 0; i < 200'000; ++i) ASSERT_LE(bucket.Ask(clock.Now()), kLongestWait);
  EXPECT_EQ(bucket.Ask(clock.Now()), kLongestWait);
  bucket.Set({.per_second = 10'000'000, .burst = 1}, clock.Now());
  clock.Advance(kLongestWait);
  EXPECT_EQ(bucket.Ask(clock.Now()), 0ns);
}

TEST(Bucket, ANewRateKeepsWhatWasSavedUp) {
  Bucket bucket;
  ManualClock clock;
  bucket.Set(kTerms, clock.Now());
  bucket.Charge(200, clock.Now());
  bucket.Set({.per_second = 2'000, .burst = 500}, clock.Now());
  EXPECT_EQ(bucket.Available(clock.Now()), 50u);
  clock.Advance(100ms);
  EXPECT_EQ(bucket.Available(clock.Now()), 250u);
  bucket.Set({.per_second = 2'000, .burst = 100}, clock.Now());
  EXPECT_EQ(bucket.Available(clock.Now()), 100u);
  bucket.Set({}, clock.Now());
  EXPECT_EQ(bucket.Available(clock.Now()), kUnlimited);
}

// A caller who always wants more, in pieces of any size: over 10 s what it gets is the rate's, within 5 %.
TEST(Bucket, IsExactOverTenSeconds) {
  for (const uint64_t rate : {10'000ull, 1'000'000ull, 10'000'000ull, 1'000'000'000ull}) {
    for (const uint64_t part : {1'000ull, 50ull}) {
      const uint64_t piece = std::max<uint64_t>(rate / part, 1);
      Bucket bucket;
      ManualClock clock;
      bucket.Set({.per_second = rate, .burst = rate / 4}, clock.Now());
      const base::MonotonicTime end = clock.Now() + 10s;
      uint64_t moved = 0;
      while (clock.Now() < end) {
        const auto wait = bucket.Ask(clock.Now());
        if (wait > 0ns) {
          clock.Advance(wait);
          continue;
        }
        bucket.Charge(piece, clock.Now());
        moved += piece;
      }
      EXPECT_NEAR(static_cast<double>(moved), static_cast<double>(rate) * 10, static_cast<double>(rate) * 0.5)
          << rate << " in pieces of " << piece;
    }
  }
}

}  // namespace
}  // namespace socketeer::quota
