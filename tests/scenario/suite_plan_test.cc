#include "client/scenario/suite_plan.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <numeric>

namespace socketeer::scenario {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

Value Word(const std::string& text) { return {.type = Value::Type::kWord, .text = text}; }

TEST(SuitePlan, EveryCombinationTheLastNameFastest) {
  const auto all = Combinations({{"a", {Word("1"), Word("2")}}, {"b", {Word("x"), Word("y")}}}, {});
  EXPECT_THAT(all,
              ElementsAre(ElementsAre(Pair("a", "1"), Pair("b", "x")), ElementsAre(Pair("a", "1"), Pair("b", "y")),
                          ElementsAre(Pair("a", "2"), Pair("b", "x")), ElementsAre(Pair("a", "2"), Pair("b", "y"))));
}

TEST(SuitePlan, WithoutAMatrixThereIsOne) { EXPECT_THAT(Combinations({}, {}), ElementsAre(Parameters{})); }

TEST(SuitePlan, WhatIsSetIsToldWithEach) {
  const auto all = Combinations({{"a", {Word("1"), Word("2")}}}, {{"set", "z"}});
  EXPECT_THAT(
      all, ElementsAre(ElementsAre(Pair("a", "1"), Pair("set", "z")), ElementsAre(Pair("a", "2"), Pair("set", "z"))));
}

TEST(SuitePlan, Tags) {
  EXPECT_EQ(WhyExcluded({}, {}), "");
  EXPECT_EQ(WhyExcluded({"tcp", "slow"}, {"udp", "tcp"}), "");
  EXPECT_EQ(WhyExcluded({"tcp"}, {"!slow"}), "");
  EXPECT_EQ(WhyExcluded({}, {"!slow"}), "");
  EXPECT_THAT(WhyExcluded({"tcp", "slow"}, {"tcp", "!slow"}), HasSubstr("slow"));
  EXPECT_THAT(WhyExcluded({"tcp"}, {"udp"}), HasSubstr("none"));
  EXPECT_THAT(WhyExcluded({}, {"udp"}), HasSubstr("none"));
}

TEST(SuitePlan, ASeedIsAnOrder) {
  std::vector<size_t> order(20);
  std::iota(order.begin(), order.end(), 0);
  std::vector<size_t> one = order, again = order, other = order;
  Shuffle(1, &one);
  Shuffle(1, &again);
  Shuffle(2, &other);
  EXPECT_EQ(one, again);
  EXPECT_NE(one, other);
  EXPECT_NE(one, order);
  std::sort(one.begin(), one.end());
  EXPECT_EQ(one, order);
}

}  // namespace
}  // namespace socketeer::scenario
