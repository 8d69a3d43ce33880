#include "client/report/summary.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_join.h"
#include "tests/report/sample.h"

namespace socketeer::report {
namespace {

using ::testing::HasSubstr;

ScenarioResult With(Verdict verdict) {
  ScenarioResult scenario;
  scenario.verdict = verdict;
  return scenario;
}

TEST(Summary, TheGravestVerdictCounts) {
  EXPECT_EQ(Gravest(RunOf({})), Verdict::kPassed);
  EXPECT_EQ(Gravest(RunOf({With(Verdict::kSkipped)})), Verdict::kPassed);
  const Verdict by_gravity[] = {Verdict::kPassed, Verdict::kUnexpected, Verdict::kTimedOut,    Verdict::kFailed,
                                Verdict::kDenied, Verdict::kUsage,      Verdict::kUnreachable, Verdict::kInterrupted};
  RunResult run;
  for (const Verdict verdict : by_gravity) {
    run.scenarios.push_back(With(verdict));
    run.scenarios.push_back(With(Verdict::kPassed));
    EXPECT_EQ(Gravest(run), verdict);
  }
}

TEST(Summary, OneLine) {
  EXPECT_EQ(SummaryLine(SampleRun("several")), "6 scenarios: 3 passed, 2 failed, 1 skipped (1.26s)");
  EXPECT_EQ(SummaryLine(SampleRun("half-close")), "1 scenario: 1 failed (1.26s)");
  EXPECT_EQ(SummaryLine(SampleRun("none")), "no scenario ran");
}

TEST(Summary, NamesTellRunsApart) {
  const RunResult run = SampleRun("several");
  EXPECT_EQ(FullName(run.scenarios[1]), "TCP half-close");
  EXPECT_EQ(FullName(run.scenarios[4]), "UDP echo [mtu=9000, family=ipv6]");
  EXPECT_EQ(FullName(run.scenarios[5]), "UDP echo [mtu=9000, family=ipv6, repetition 2]");
}

TEST(Summary, Clocks) {
  const std::vector<Clock> clocks = HalfClose().clocks;
  EXPECT_EQ(ClockText(clocks[0]),
            "a's clock is 3.500s behind, \xc2\xb1"
            "900us");
  EXPECT_EQ(ClockText(clocks[1]),
            "b's clock is 2.003s ahead, \xc2\xb1"
            "400us");
  EXPECT_EQ(ClockText(clocks[2]), "c's clock is unknown");
  EXPECT_EQ(ClockText({.host = "d", .known = true, .offset = absl::Microseconds(-30), .bound = absl::Microseconds(40)}),
            "d's clock agrees, \xc2\xb1"
            "40us");
}

TEST(Summary, AFailureHasAllThatAPersonNeeds) {
  const std::string lines = absl::StrJoin(FailureLines(HalfClose()), "\n");
  EXPECT_THAT(lines, HasSubstr("half-close.yaml:56:5: receive: Connection reset by peer"));
  EXPECT_THAT(lines, HasSubstr("host: b"));
  EXPECT_THAT(lines, HasSubstr("cleanup: half-close.yaml:62:5: c: close beacon"));
  EXPECT_THAT(lines, HasSubstr("socket b client: tcp4 CONNECTED, local 10.0.0.2:53124, peer 10.0.0.1:40123"));
}

TEST(Summary, AFailureIsBounded) {
  ScenarioResult scenario = HalfClose();
  scenario.sockets.resize(5000, scenario.sockets[0]);
  EXPECT_LE(FailureLines(scenario).size(), 101);
  EXPECT_THAT(FailureLines(scenario).back(), HasSubstr("lines more are left out"));
}

}  // namespace
}  // namespace socketeer::report
