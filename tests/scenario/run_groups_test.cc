#include <gmock/gmock.h>

#include "tests/scenario/run_rig.h"

namespace socketeer::scenario {
namespace {

using ::testing::AnyOf;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Le;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

TEST_F(RunTest, BranchesMeet) {
  const ScenarioResult result = RunSteps(std::string(kListener) + R"(
  - parallel:
      server:
        - {name: accept, on: a, accept: {socket: server, as: peer}}
        - {name: recv, on: a, recv: {socket: peer, min_bytes: 2}, expect: {text: hi}}
      client:
        - {name: connect, on: a, open: {socket: client, kind: tcp, connect: "${address}"}, capture: {port: local.port}}
        - {name: send, on: a, send: {socket: client, text: hi}}
  - {name: behind, run: [test, "${port}", "-gt", "0"]}
)");
  EXPECT_EQ(result.verdict, Verdict::kPassed) << result.message;
  EXPECT_EQ(EventOf(result, "recv").branch, "server");
  EXPECT_EQ(EventOf(result, "send").branch, "client");
  EXPECT_GE(EventOf(result, "behind").start, EventOf(result, "recv").end);
}

TEST_F(RunTest, WhenABranchFailsTheOthersAreCancelledAndSaySo) {
  const ScenarioResult result = RunSteps(std::string(kListener) + R"(
  - parallel:
      waits:
        - {name: lonely, on: a, accept: {socket: server, as: peer}}
      program:
        - {name: long, run: [tail, -f, /dev/null]}
      nested:
        - parallel:
            inner:
              - {name: deep, on: a, wait: {socket: server, for: closed}}
      fails:
        - {name: broken, run: ["false"]}
        - {name: never, run: ["true"]}
)");
  EXPECT_EQ(result.verdict, Verdict::kFailed) << result.message;
  EXPECT_THAT(result.message, HasSubstr("broken: ended with status 1"));
  for (const Event& event : result.events) {
    if (event.title == "listener" || event.title == "broken") continue;
    EXPECT_THAT(event.title, AnyOf("lonely", "long", "deep"));
    EXPECT_EQ(event.verdict, Verdict::kSkipped) << event.title << ": " << event.message;
    EXPECT_THAT(event.message, HasSubstr("cancelled, because the branch fails failed"));
    EXPECT_EQ(event.branch == "nested/inner", event.title == "deep");
  }
}

TEST_F(RunTest, ALoopTakesEveryCombinationTheLastNameFastest) {
  const ScenarioResult result = RunSteps(R"(
  - for-each:
      over: {one: [a, b], two: ["1", "2"]}
      steps:
        - for-each:
            over: {three: [x]}
            steps:
              - {name: turn, run: [printf, "%s", "${one}${two}${three}"], expect: {stdout: "${one}${two}${three}"}, capture: {said: stdout}}
  - {name: last, run: [test, "${said}", "=", b2x]}
)");
  EXPECT_EQ(result.verdict, Verdict::kPassed) << result.message;
  EXPECT_THAT(Titles(result), ElementsAre("turn", "turn", "turn", "turn", "last"));
}

TEST_F(RunTest, ALoopEndsAtItsFirstFailure) {
  const ScenarioResult result = RunSteps(R"(
  - for-each: {over: {word: ["true", "false", "true"]}, steps: [{run: ["${word}"]}]}
)");
  EXPECT_EQ(result.verdict, Verdict::kFailed);
  EXPECT_THAT(Titles(result), ElementsAre("run true", "run false"));
}

TEST_F(RunTest, ARetryTakesSuccessesInARow) {
  // Fails at the second and the third try: two in a row are the fourth and the fifth.
  const std::string count = server_.dir().File("count");
  const ScenarioResult result = RunSteps(R"(
  - retry:
      successes: 2
      pause: 1ms
      steps:
        - {name: try, run: [sh, -c, 'echo >> "$$0"; case $$(wc -l < "$$0") in 2|3) exit 1;; esac', ")" +
                                         count + R"("]}
)");
  EXPECT_EQ(result.verdict, Verdict::kPassed) << result.message;
  std::vector<int> attempts;
  std::vector<Verdict> verdicts;
  for (const Event& event : result.events) {
    attempts.push_back(event.attempt);
    verdicts.push_back(event.verdict);
  }
  EXPECT_THAT(attempts, ElementsAre(1, 2, 3, 4, 5));
  EXPECT_THAT(verdicts,
              ElementsAre(Verdict::kPassed, Verdict::kFailed, Verdict::kFailed, Verdict::kPassed, Verdict::kPassed));
}

TEST_F(RunTest, ARetryThatNeverPassesTellsTheLastReasonAndKeepsSomeTries) {
  const ScenarioResult result = RunSteps(R"(
  - name: patient
    limit: 500ms
    retry: {pause: 0s, steps: [{name: try, on: a, open: {socket: c, kind: tcp, connect: "127.0.0.1:1"}}]}
)");
  EXPECT_EQ(result.verdict, Verdict::kTimedOut) << result.message;
  EXPECT_THAT(result.message, HasSubstr("patient: not passed 1 times in a row within its limit of 500ms"));
  EXPECT_THAT(result.message, HasSubstr("ECONNREFUSED"));
  EXPECT_THAT(result.events, SizeIs(Le(21U)));
  EXPECT_EQ(result.events.front().attempt, 1);
}

TEST_F(RunTest, AMistakeIsNotTriedAgain) {
  options_.variables = {{"where", "not an address"}};
  const ScenarioResult result = RunSteps(R"(
  - retry: {steps: [{name: try, on: a, open: {socket: c, kind: tcp, connect: "${where}"}}]}
)",
                                         "variables: {where: x}\n");
  EXPECT_EQ(result.verdict, Verdict::kUsage) << result.message;
  EXPECT_THAT(Titles(result), ElementsAre("try"));
}

}  // namespace
}  // namespace socketeer::scenario
