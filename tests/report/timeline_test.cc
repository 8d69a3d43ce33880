#include "client/report/timeline.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "tests/report/sample.h"

namespace socketeer::report {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::SizeIs;

const Bar& BarOf(const ScenarioResult& scenario, const Timeline& timeline, const std::string& title) {
  return *std::find_if(timeline.bars.begin(), timeline.bars.end(),
                       [&](const Bar& bar) { return scenario.events[bar.event].title == title; });
}

std::vector<std::string> Hosts(const Timeline& timeline) {
  std::vector<std::string> hosts;
  for (const Column& column : timeline.columns) hosts.push_back(column.host);
  return hosts;
}

TEST(Timeline, AColumnForEachHostAndForTheRunnerIfItDidSomething) {
  ScenarioResult scenario = HalfClose();
  EXPECT_THAT(Hosts(LayOut(scenario, 100)), ElementsAre("", "a", "b", "c"));
  scenario.events.erase(scenario.events.begin());
  EXPECT_THAT(Hosts(LayOut(scenario, 100)), ElementsAre("a", "b", "c"));
}

TEST(Timeline, NothingStandsAboveWhatEndedBeforeIt) {
  const ScenarioResult scenario = HalfClose();
  const Timeline timeline = LayOut(scenario, 100);
  for (const Bar& one : timeline.bars) {
    EXPECT_LT(one.top, one.bottom);
    for (const Bar& other : timeline.bars) {
      if (scenario.events[one.event].end <= scenario.events[other.event].start) {
        EXPECT_LE(one.bottom, other.top);
      }
    }
  }
}

TEST(Timeline, BarsOfOneLaneDoNotOverlap) {
  const ScenarioResult scenario = Large(200);
  const Timeline timeline = LayOut(scenario, 200);
  for (size_t i = 0; i < timeline.bars.size(); ++i) {
    for (size_t k = i + 1; k < timeline.bars.size(); ++k) {
      const Bar& one = timeline.bars[i];
      const Bar& other = timeline.bars[k];
      if (one.column == other.column && one.lane == other.lane) {
        EXPECT_LE(one.bottom, other.top);
      }
    }
  }
}

TEST(Timeline, LabelsOfAColumnDoNotOverlap) {
  ScenarioResult scenario;
  scenario.hosts = {"a"};
  for (int i = 0; i < 20; ++i) scenario.events.push_back(Step("a", "wait", "all at once", 1, 2 + i));
  const Timeline timeline = LayOut(scenario, 100);
  for (size_t i = 1; i < timeline.bars.size(); ++i) {
    EXPECT_GE(timeline.bars[i].top - timeline.bars[i - 1].top, LabelHeight(scenario.events[i]));
  }
  EXPECT_LE(timeline.columns[0].lanes, 8);
}

TEST(Timeline, MarksOfHostsWithClocksSecondsApartStandInCausalOrder) {
  const ScenarioResult scenario = HalfClose();
  const Timeline timeline = LayOut(scenario, 100);
  const Bar& listens = BarOf(scenario, timeline, "open server tcp, listening");
  const Bar& accepts = BarOf(scenario, timeline, "accept server as peer");
  const Bar& connects = BarOf(scenario, timeline, "open client tcp");
  const Bar& closes = BarOf(scenario, timeline, "close peer, reset");
  ASSERT_TRUE(listens.has_mark && accepts.has_mark && connects.has_mark && closes.has_mark);
  // What a's clock says of the accept lies before what b's says of the connect, within what is known of them.
  EXPECT_LT(*scenario.events[accepts.event].at_host, *scenario.events[connects.event].at_host);
  EXPECT_LT(listens.mark, connects.mark);
  EXPECT_LT(connects.mark, accepts.mark);
  EXPECT_LT(accepts.mark, closes.mark);
}

TEST(Timeline, AMarkStaysInItsBar) {
  ScenarioResult scenario = HalfClose();
  for (size_t i = 0; i < scenario.events.size(); ++i) {  // also where what the runner recorded is not what it promises
    scenario.events[i].at_host = i % 2 == 0 ? At(-1e6) : At(1e6);
  }
  for (const Bar& bar : LayOut(scenario, 100).bars) {
    ASSERT_TRUE(bar.has_mark);
    EXPECT_GE(bar.mark, bar.top);
    EXPECT_LE(bar.mark, bar.bottom);
  }
}

TEST(Timeline, APauseIsShortAndSaysHowLongItWas) {
  ScenarioResult scenario;
  scenario.hosts = {"a"};
  scenario.events = {Step("a", "open", "before", 0, 1), Step("a", "close", "after", 3600'000, 3600'001)};
  const Timeline timeline = LayOut(scenario, 100);
  ASSERT_THAT(timeline.bands, SizeIs(1));
  EXPECT_EQ(timeline.bands[0].idle, At(3600'000) - At(1));
  EXPECT_LT(timeline.height, 300);
  EXPECT_GE(timeline.bands[0].top, timeline.bars[0].bottom);
  EXPECT_LE(timeline.bands[0].bottom, timeline.bars[1].top);
}

TEST(Timeline, WhatIsLeftOutIsTold) {
  ScenarioResult scenario = Large(1000);
  scenario.events[500].verdict = Verdict::kFailed;
  const Timeline timeline = LayOut(scenario, 100);
  EXPECT_THAT(timeline.bars, SizeIs(100));
  EXPECT_EQ(timeline.left_out, 900);
  size_t told = 0;
  for (const Band& band : timeline.bands) told += band.left_out;
  EXPECT_EQ(told, 900);
  const std::vector<size_t> shown = Choose(scenario.events, 100);
  for (const size_t index : {0, 499, 500, 999}) EXPECT_THAT(shown, Contains(index));
}

TEST(Timeline, StepsThatDidNotRunHaveNoPlaceInTime) {
  ScenarioResult scenario = HalfClose();
  const double height = LayOut(scenario, 100).height;
  Event skipped;
  skipped.host = "a";
  skipped.verdict = Verdict::kSkipped;
  scenario.events.push_back(skipped);
  EXPECT_EQ(LayOut(scenario, 100).height, height);
}

TEST(Timeline, AScenarioWithoutSteps) {
  const Timeline timeline = LayOut(ScenarioResult(), 100);
  EXPECT_THAT(timeline.bars, SizeIs(0));
}

}  // namespace
}  // namespace socketeer::report
