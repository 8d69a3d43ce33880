#include "client/scenario/run_program.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <signal.h>
#include <unistd.h>

#include <fstream>

#include "socketeer/error.h"
#include "tests/support/temp_dir.h"

namespace socketeer::scenario {
namespace {

using ::testing::HasSubstr;

class RunProgramTest : public ::testing::Test {
 protected:
  Outcome Run(const std::vector<std::string>& command, const std::string& input = "",
              absl::Duration within = absl::Minutes(1)) {
    return RunProgram(command, input, halt_, within);
  }

  Halt halt_;
};

TEST_F(RunProgramTest, SaysWhatItWroteAndHowItEnded) {
  const Outcome outcome = Run({"sh", "-c", "cat; echo two >&2; exit 3"}, "one\n");
  EXPECT_TRUE(outcome.status.ok()) << outcome.status;
  EXPECT_EQ(outcome.answer["status"], 3);
  EXPECT_EQ(outcome.answer["stdout"], "one\n");
  EXPECT_EQ(outcome.answer["stderr"], "two\n");
}

TEST_F(RunProgramTest, NoShellTakesTheArgumentsApart) {
  EXPECT_EQ(Run({"printf", "%s", "$HOME; `id` a  b"}).answer["stdout"], "$HOME; `id` a  b");
}

TEST_F(RunProgramTest, ASignalHasItsName) {
  const Outcome outcome = Run({"sh", "-c", "kill -SEGV $$"});
  EXPECT_EQ(outcome.answer["signal"], "SIGSEGV");
  EXPECT_FALSE(outcome.answer.contains("status"));
}

TEST_F(RunProgramTest, OneThatThereIsNotIsNamed) {
  const Outcome outcome = Run({"/no/such/program"});
  EXPECT_TRUE(absl::IsAborted(outcome.status));
  EXPECT_THAT(std::string(outcome.status.message()), HasSubstr("/no/such/program"));
  EXPECT_THAT(std::string(outcome.status.message()), HasSubstr("No such file"));
}

TEST_F(RunProgramTest, ItInheritsNothingButTheThreeDescriptors) {
  const int open_one = dup(STDIN_FILENO);  // not closed on exec
  const Outcome outcome = Run({"sh", "-c", "ls /proc/$$/fd"});
  close(open_one);
  EXPECT_EQ(outcome.answer["stdout"], "0\n1\n2\n");
}

TEST_F(RunProgramTest, SignalsThatThisThreadBlocksReachIt) {
  sigset_t term, before;
  sigemptyset(&term);
  sigaddset(&term, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &term, &before);
  EXPECT_EQ(Run({"sh", "-c", "kill -TERM $$; exec tail -f /dev/null"}).answer["signal"], "SIGTERM");
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

TEST_F(RunProgramTest, WhatIsTooLongIsCutAndSaidSo) {
  const Outcome outcome = Run({"sh", "-c", "head -c 3000000 /dev/zero; echo end >&2"});
  EXPECT_EQ(outcome.answer["stdout"].get<std::string>().size(), kMaxProgramOutput);
  EXPECT_EQ(outcome.answer["truncated"], true);
  EXPECT_EQ(outcome.answer["stderr"], "end\n");
  EXPECT_EQ(outcome.answer["status"], 0);
}

TEST_F(RunProgramTest, OneThatDoesNotReadItsInputIsNoFailure) {
  const Outcome outcome = Run({"true"}, std::string(10'000'000, 'x'));
  EXPECT_TRUE(outcome.status.ok()) << outcome.status;
  EXPECT_EQ(outcome.answer["status"], 0);
}

TEST_F(RunProgramTest, AtItsLimitItIsKilledWithItsChildren) {
  const testing::TempDir dir;
  const std::string fifo = dir.File("fifo");
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  // Both ignore SIGTERM, and the child has the FIFO open for as long as it lives.
  const Outcome outcome = Run({"sh", "-c", "trap '' TERM; tail -f /dev/null > \"$0\" & wait", fifo}, "",
                              absl::Milliseconds(100));
  EXPECT_EQ(Classify(outcome.status), ErrorKind::kTimedOut);
  EXPECT_EQ(outcome.answer["signal"], "SIGKILL");
}

TEST_F(RunProgramTest, WhatItLeavesBehindEndsWithIt) {
  const testing::TempDir dir;
  const std::string fifo = dir.File("fifo");
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  const int reader = open(fifo.c_str(), O_RDONLY | O_NONBLOCK);
  EXPECT_EQ(Run({"sh", "-c", "exec 3> \"$0\"; tail -f /dev/null 2>&3 & exit 0", fifo}).answer["status"], 0);
  fcntl(reader, F_SETFL, 0);
  char byte;
  EXPECT_EQ(read(reader, &byte, 1), 0) << "its last writer is gone";
  close(reader);
}

TEST_F(RunProgramTest, AHaltEndsIt) {
  halt_.Stop({.verdict = report::Verdict::kSkipped, .text = "so"});
  const Outcome outcome = Run({"tail", "-f", "/dev/null"});
  EXPECT_EQ(Classify(outcome.status), ErrorKind::kCancelled);
  EXPECT_EQ(outcome.answer["signal"], "SIGTERM");
}

}  // namespace
}  // namespace socketeer::scenario
