#include "client/scenario/run_program.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "socketeer/error.h"
#include "tests/support/temp_dir.h"

namespace socketeer::scenario {
namespace {

using ::testing::HasSubstr;

// Tells whether those live who have opened it for writing.
class Fifo {
 public:
  Fifo() : path_(dir_.File("fifo")) {
    if (mkfifo(path_.c_str(), 0600) != 0) std::abort();
    reader_ = open(path_.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  }
  Fifo(const Fifo&) = delete;
  ~Fifo() { close(reader_); }

  const std::string& path() const { return path_; }
  // Waits for it; without it the test hangs.
  bool HasNoWriterAnyMore() const {
    fcntl(reader_, F_SETFL, 0);
    char byte = 0;
    return read(reader_, &byte, 1) == 0;
  }

 private:
  const socketeer::testing::TempDir dir_;
  const std::string path_;
  int reader_ = -1;
};

class RunProgramTest : public ::testing::Test {
 protected:
  Outcome RunIt(const std::vector<std::string>& command, const std::string& input = "",
                absl::Duration within = absl::Minutes(1)) {
    return RunProgram(command, input, halt_, within);
  }

  Halt halt_;
};

TEST_F(RunProgramTest, SaysWhatItWroteAndHowItEnded) {
  const Outcome outcome = RunIt({"sh", "-c", "cat; echo two >&2; exit 3"}, "one\n");
  EXPECT_TRUE(outcome.status.ok()) << outcome.status;
  EXPECT_EQ(outcome.answer["status"], 3);
  EXPECT_EQ(outcome.answer["stdout"], "one\n");
  EXPECT_EQ(outcome.answer["stderr"], "two\n");
}

TEST_F(RunProgramTest, NoShellTakesTheArgumentsApart) {
  EXPECT_EQ(RunIt({"printf", "%s", "$HOME; `id` a  b"}).answer["stdout"], "$HOME; `id` a  b");
}

TEST_F(RunProgramTest, ASignalHasItsName) {
  const Outcome outcome = RunIt({"sh", "-c", "kill -SEGV $$"});
  EXPECT_EQ(outcome.answer["signal"], "SIGSEGV");
  EXPECT_FALSE(outcome.answer.contains("status"));
}

TEST_F(RunProgramTest, OneThatThereIsNotIsNamed) {
  const Outcome outcome = RunIt({"/no/such/program"});
  EXPECT_TRUE(absl::IsAborted(outcome.status));
  EXPECT_THAT(std::string(outcome.status.message()), HasSubstr("/no/such/program"));
  EXPECT_THAT(std::string(outcome.status.message()), HasSubstr("No such file"));
}

TEST_F(RunProgramTest, ItInheritsNothingButTheThreeDescriptors) {
  const int open_one = dup(STDIN_FILENO);  // not closed on exec
  const Outcome outcome = RunIt({"sh", "-c", "ls /proc/$$/fd"});
  close(open_one);
  EXPECT_EQ(outcome.answer["stdout"], "0\n1\n2\n");
}

TEST_F(RunProgramTest, SignalsThatThisThreadBlocksReachIt) {
  sigset_t term, before;
  sigemptyset(&term);
  sigaddset(&term, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &term, &before);
  EXPECT_EQ(RunIt({"sh", "-c", "kill -TERM $$; exec tail -f /dev/null"}).answer["signal"], "SIGTERM");
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

TEST_F(RunProgramTest, WhatIsTooLongIsCutAndSaidSo) {
  const Outcome outcome = RunIt({"sh", "-c", "head -c 3000000 /dev/zero; echo end >&2"});
  EXPECT_EQ(outcome.answer["stdout"].get<std::string>().size(), kMaxProgramOutput);
  EXPECT_EQ(outcome.answer["truncated"], true);
  EXPECT_EQ(outcome.answer["stderr"], "end\n");
  EXPECT_EQ(outcome.answer["status"], 0);
}

TEST_F(RunProgramTest, OneThatDoesNotReadItsInputIsNoFailure) {
  const Outcome outcome = RunIt({"true"}, std::string(10'000'000, 'x'));
  EXPECT_TRUE(outcome.status.ok()) << outcome.status;
  EXPECT_EQ(outcome.answer["status"], 0);
}

TEST_F(RunProgramTest, AtItsLimitItIsKilledWithItsChildren) {
  const Fifo fifo;
  // Both ignore SIGTERM, and have the FIFO open for as long as they live.
  const Outcome outcome = RunIt({"sh", "-c", "exec 3> \"$0\"; trap '' TERM; tail -f /dev/null & wait", fifo.path()}, "",
                                absl::Milliseconds(100));
  EXPECT_EQ(Classify(outcome.status), ErrorKind::kTimedOut);
  EXPECT_EQ(outcome.answer["signal"], "SIGKILL");
  EXPECT_TRUE(fifo.HasNoWriterAnyMore());
}

TEST_F(RunProgramTest, WhatItLeavesBehindEndsWithIt) {
  const Fifo fifo;
  const Outcome outcome = RunIt({"sh", "-c", "exec 3> \"$0\"; tail -f /dev/null & exit 0", fifo.path()});
  EXPECT_EQ(outcome.answer["status"], 0);
  EXPECT_TRUE(fifo.HasNoWriterAnyMore());
}

TEST_F(RunProgramTest, AHaltEndsIt) {
  halt_.Stop({.verdict = report::Verdict::kSkipped, .text = "so"});
  const Outcome outcome = RunIt({"tail", "-f", "/dev/null"});
  EXPECT_EQ(Classify(outcome.status), ErrorKind::kCancelled);
  EXPECT_EQ(outcome.answer["signal"], "SIGTERM");
}

}  // namespace
}  // namespace socketeer::scenario
