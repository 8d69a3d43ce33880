// What one identity's refusals may write, and that nothing of the others is lost for it.
#include "server/audit/refusal_rate.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "tests/support/manual_clock.h"

namespace socketeer::audit {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class RefusalRateTest : public ::testing::Test {
 protected:
  std::optional<uint64_t> Ask(const std::string& identity) { return rate_.Ask(identity, clock_.Now()); }
  // How many of so many are told.
  int Told(const std::string& identity, int count) {
    int told = 0;
    for (int i = 0; i < count; ++i) told += Ask(identity).has_value();
    return told;
  }

  testing::ManualClock clock_;
  RefusalRate rate_{4};
};

TEST_F(RefusalRateTest, ABurstAndThenARate) {
  EXPECT_EQ(Told("alice", 1'500), 1'000);
  clock_.Advance(milliseconds(49));
  EXPECT_EQ(Ask("alice"), std::nullopt);
  clock_.Advance(milliseconds(1));
  EXPECT_EQ(Ask("alice"), 501u);
  EXPECT_EQ(Ask("alice"), std::nullopt);
  clock_.Advance(seconds(1));
  EXPECT_EQ(Ask("alice"), 1u);  // those before are told
  EXPECT_EQ(Told("alice", 100), 19);
  clock_.Advance(seconds(10'000));
  EXPECT_EQ(Told("alice", 1'500), 1'000);
}

TEST_F(RefusalRateTest, EachForItself) {
  EXPECT_EQ(Told("alice", 1'001), 1'000);
  EXPECT_EQ(Told("bob", 1'000), 1'000);
  EXPECT_EQ(Ask("carol"), 0u);
}

TEST_F(RefusalRateTest, WhatWasLeftOutIsToldOnce) {
  EXPECT_EQ(Told("alice", 1'003), 1'000);
  EXPECT_EQ(Told("bob", 7), 7);
  const auto left_out = rate_.TakeLeftOut();
  ASSERT_EQ(left_out.size(), 1u);
  EXPECT_EQ(left_out[0].identity, "alice");
  EXPECT_EQ(left_out[0].count, 3u);
  EXPECT_TRUE(rate_.TakeLeftOut().empty());
  clock_.Advance(seconds(1));
  EXPECT_EQ(Ask("alice"), 0u);
}

TEST_F(RefusalRateTest, AFullTableTakesOthersForOne) {
  for (const char* const each : {"a", "b", "c", "d"}) EXPECT_EQ(Told(each, 1'001), 1'000);
  EXPECT_EQ(Told("e", 600), 600);
  EXPECT_EQ(Told("f", 600), 400);
  EXPECT_EQ(rate_.size(), 5u);
  uint64_t count = 0;
  for (const auto& each : rate_.TakeLeftOut()) {
    count += each.count;
    EXPECT_EQ(each.count, each.identity.empty() ? 200u : 1u);
  }
  EXPECT_EQ(count, 204u);
  for (int i = 0; i < 100; ++i) Ask("g" + std::to_string(i));
  EXPECT_EQ(rate_.size(), 5u);
}

TEST_F(RefusalRateTest, WhoIsQuietLeavesAFullTable) {
  for (const char* const each : {"a", "b", "c"}) EXPECT_EQ(Told(each, 1'000), 1'000);
  EXPECT_EQ(Told("d", 1'001), 1'000);
  clock_.Advance(seconds(49));
  EXPECT_EQ(Ask("e"), 0u);
  EXPECT_EQ(rate_.size(), 5u);
  clock_.Advance(seconds(1));
  EXPECT_EQ(Ask("f"), 0u);
  EXPECT_EQ(rate_.size(), 2u);  // d, of whom something is to be told, and f
  EXPECT_EQ(Ask("d"), 1u);
}

}  // namespace
}  // namespace socketeer::audit
