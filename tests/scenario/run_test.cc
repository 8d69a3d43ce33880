#include "client/scenario/run.h"

#include <gmock/gmock.h>

#include "tests/scenario/run_rig.h"

namespace socketeer::scenario {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST_F(RunTest, StepsRunInTheirOrderAndEachBeginsAfterTheOneBefore) {
  const ScenarioResult result = RunText(R"(
name: half-close
hosts: [a, b]
steps:
  - {name: listen, on: a, open: {socket: server, kind: tcp, bind: "127.0.0.1:0", listen: true}, capture: {address: local}}
  - {name: connect, on: b, open: {socket: client, kind: tcp, connect: "${address}"}}
  - {name: accept, on: a, accept: {socket: server, as: peer}}
  - {name: send, on: b, send: {socket: client, text: hello}}
  - {name: end, on: b, shutdown: {socket: client, direction: write}}
  - {name: recv, on: a, recv: {socket: peer, min_bytes: 5}, expect: {text: hello}}
  - {name: over, on: a, recv: {socket: peer}, expect: {end_of_stream: true}}
)");
  EXPECT_EQ(result.verdict, Verdict::kPassed) << result.message;
  EXPECT_THAT(Titles(result), ElementsAre("listen", "connect", "accept", "send", "end", "recv", "over"));
  for (size_t i = 1; i < result.events.size(); ++i) EXPECT_GE(result.events[i].start, result.events[i - 1].end);
  EXPECT_GE(result.events.front().start, result.start);
  EXPECT_LE(result.events.back().end, result.end);
  EXPECT_THAT(result.hosts, ElementsAre("a", "b"));
  EXPECT_EQ(EventOf(result, "send").bytes_sent, 5U);
  EXPECT_EQ(EventOf(result, "recv").bytes_received, 5U);
  EXPECT_EQ(EventOf(result, "connect").socket, "client");
  EXPECT_EQ(EventOf(result, "connect").host, "b");
  EXPECT_EQ(EventOf(result, "connect").line, 6);
  EXPECT_THAT(result.sockets, IsEmpty());
  server_.ExpectClean();
}

TEST_F(RunTest, TheFirstFailureEndsTheStepsAndShowsWhatIsThere) {
  const ScenarioResult result = RunSteps(std::string(kListener) + R"(
  - {name: refused, on: a, open: {socket: client, kind: tcp, connect: "127.0.0.1:1"}}
  - {name: never, on: a, close: {socket: server}}
)");
  EXPECT_EQ(result.verdict, Verdict::kFailed);
  EXPECT_THAT(result.message, HasSubstr("test.yaml:"));
  EXPECT_THAT(result.message, HasSubstr("ECONNREFUSED"));
  EXPECT_EQ(result.host, "a");
  EXPECT_THAT(Titles(result), ElementsAre("listener", "refused"));
  EXPECT_EQ(EventOf(result, "refused").errno_name, "ECONNREFUSED");
  ASSERT_THAT(result.sockets, SizeIs(1));
  EXPECT_EQ(result.sockets[0].name, "server");
  EXPECT_EQ(result.sockets[0].state, "LISTENING");
  EXPECT_EQ(result.sockets[0].local, EventOf(result, "listener").local);
  server_.ExpectClean();
}

TEST_F(RunTest, WhatWasExpectedAndIsNotSo) {
  const ScenarioResult result = RunSteps(std::string(kListener) + R"(
  - {name: wrong, on: a, inspect: {socket: server}, expect: {kind: tcp6}}
)");
  EXPECT_EQ(result.verdict, Verdict::kUnexpected) << result.message;
  EXPECT_THAT(result.message, HasSubstr("tcp4"));
}

TEST_F(RunTest, AHostThatIsNotThere) {
  const ScenarioResult result = RunText(R"(
name: gone
hosts: [a, gone]
steps: [{name: never, on: a, host: {}}]
cleanup: [{name: tidy, on: a, host: {}}]
)");
  EXPECT_EQ(result.verdict, Verdict::kUnreachable) << result.message;
  EXPECT_EQ(result.host, "gone");
  EXPECT_THAT(result.message, HasSubstr("gone: "));
  EXPECT_THAT(Titles(result), ElementsAre("tidy"));
}

TEST_F(RunTest, CleanupRunsEachStepWhateverFails) {
  const ScenarioResult result = RunText(R"(
name: cleanup
hosts: [a]
steps:
  - {name: refused, on: a, open: {socket: client, kind: tcp, connect: "127.0.0.1:1"}}
cleanup:
  - {name: first, run: ["false"]}
  - {name: second, on: a, close: {socket: nothing}}
  - {name: third, run: ["true"]}
)");
  EXPECT_EQ(result.verdict, Verdict::kFailed);
  EXPECT_THAT(result.message, HasSubstr("ECONNREFUSED"));
  EXPECT_THAT(Titles(result), ElementsAre("refused", "first", "second", "third"));
  EXPECT_TRUE(EventOf(result, "third").cleanup);
  EXPECT_FALSE(EventOf(result, "refused").cleanup);
  ASSERT_THAT(result.cleanup_failures, SizeIs(2));
  EXPECT_THAT(result.cleanup_failures[0], HasSubstr("first: ended with status 1"));
  EXPECT_THAT(result.cleanup_failures[1], HasSubstr("second: "));
}

TEST_F(RunTest, ACleanupThatFailsFailsTheRun) {
  const ScenarioResult result = RunText(R"(
name: cleanup
steps: [{name: fine, run: ["true"]}]
cleanup: [{name: broken, run: ["false"]}]
)");
  EXPECT_EQ(result.verdict, Verdict::kFailed);
  EXPECT_THAT(result.message, HasSubstr("broken"));
}

TEST_F(RunTest, AStepThatHitsItsLimitIsTimedOutAndNamed) {
  const ScenarioResult result = RunSteps(std::string(kListener) + R"(
  - {name: lonely, on: a, accept: {socket: server, as: peer}, limit: 50ms}
)");
  EXPECT_EQ(result.verdict, Verdict::kTimedOut) << result.message;
  EXPECT_THAT(result.message, HasSubstr("lonely: not done within its limit of 50ms"));
}

TEST_F(RunTest, TheLimitOfAllStepsIsNotThatOfTheCleanup) {
  const ScenarioResult result = RunText(R"(
name: limit
hosts: [a]
limit: 200ms
steps:
  - {on: a, open: {socket: server, kind: tcp, bind: "127.0.0.1:0", listen: true}}
  - {name: lonely, on: a, accept: {socket: server, as: peer}}
cleanup:
  - {name: tidy, on: a, close: {socket: server}}
)");
  EXPECT_EQ(result.verdict, Verdict::kTimedOut) << result.message;
  EXPECT_THAT(result.message, HasSubstr("the scenario's limit of 200ms"));
  EXPECT_EQ(EventOf(result, "tidy").verdict, Verdict::kPassed);
  EXPECT_THAT(result.cleanup_failures, IsEmpty());
}

TEST_F(RunTest, AHaltEndsTheStepsAndNotTheCleanup) {
  Halt halt;
  options_.halt = &halt;
  options_.on_step = [&](const Event& event) {
    if (event.title == "listener" && event.end >= event.start)
      halt.Stop({.verdict = Verdict::kInterrupted, .text = "interrupted"});
  };
  const ScenarioResult result = RunText(std::string("name: halt\nhosts: [a]\nsteps:\n") + kListener + R"(
  - {name: lonely, on: a, accept: {socket: server, as: peer}}
cleanup:
  - {name: tidy, on: a, close: {socket: server}}
)");
  EXPECT_EQ(result.verdict, Verdict::kInterrupted);
  EXPECT_EQ(EventOf(result, "tidy").verdict, Verdict::kPassed);
  EXPECT_THAT(result.message, HasSubstr("lonely: interrupted"));
}

TEST_F(RunTest, OnFailureTheSocketsAreStillThere) {
  size_t there = 0;
  options_.on_failure = [&](const ScenarioResult& failed) {
    EXPECT_EQ(failed.verdict, Verdict::kFailed);
    there = server_->Ask(&socketeer::testing::Stub::ListSockets, "")->sockets_size();
  };
  RunSteps(std::string(kListener) + "  - {run: [\"false\"]}\n");
  EXPECT_EQ(there, 1U);
}

TEST_F(RunTest, SessionsThatAreKeptAreTold) {
  std::vector<std::string> notes;
  options_.keep_on_fail = true;
  options_.on_note = [&](const std::string& note) { notes.push_back(note); };
  const ScenarioResult passed = RunSteps(kListener);
  EXPECT_EQ(passed.verdict, Verdict::kPassed);
  EXPECT_THAT(notes, IsEmpty());
  RunSteps(std::string(kListener) + "  - {run: [\"false\"]}\n", "lease: 1h\n");
  ASSERT_THAT(notes, SizeIs(1));
  EXPECT_THAT(notes[0], HasSubstr("is left for 1h"));
  EXPECT_EQ(server_->Ask(&socketeer::testing::Stub::ListSockets, "")->sockets_size(), 1);
  const size_t name = notes[0].find("sessions/");
  const Host host = *Host::Connect(addresses_["a"]);
  EXPECT_TRUE(host.EndSession(notes[0].substr(name, notes[0].find(' ', name) - name)).ok());
}

TEST_F(RunTest, TheVariablesOfTheFileAndThoseThatAreSet) {
  options_.variables = {{"word", "$set"}};
  const ScenarioResult result = RunText(R"(
name: variables
variables: {word: file, both: "<${word}>"}
steps:
  - {name: said, run: [printf, "%s", "${both} ${run}"], expect: {stdout: {matches: "<[$$]set> [a-z0-9]{6}"}}}
)");
  EXPECT_EQ(result.verdict, Verdict::kPassed) << result.message;
}

}  // namespace
}  // namespace socketeer::scenario
