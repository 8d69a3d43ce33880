#include "tests/faults/sweep.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <filesystem>

#include "server/net/errno_table.h"
#include "server/net/target.h"

namespace socketeer::net::faults {
namespace {

// What a wait costs that cannot end otherwise: EAGAIN was said by us, so that the kernel has nothing to announce.
constexpr std::chrono::milliseconds kShort{2};
// What the kernel has to tell a socket may still be on its way.
constexpr std::chrono::seconds kSettles{3};
constexpr int kEnoughFailures = 3;  // of one scenario: the rest would say the same

// "There is nothing yet": for a call that waits it is no error.
bool SaysWait(const CallMade& failed) {
  const bool data = failed.call == "sendmsg" || failed.call == "recvmsg" || failed.call == "sendmmsg" ||
                    failed.call == "recvmmsg" || failed.call == "accept4";
  if (data) return failed.number == EAGAIN;
  // connect(2) that was interrupted goes on (POSIX), and Linux says EAGAIN of a full backlog.
  const int number = failed.number;
  return failed.call == "connect" &&
         (number == EINPROGRESS || number == EALREADY || number == EINTR || number == EAGAIN);
}

// A statement about the connection, which the daemon must believe; the kernel in truth thinks otherwise.
bool EndsConnection(const CallMade& failed) {
  if (failed.call == "getpeername") return failed.number == ENOTCONN;
  const bool sends = failed.call == "sendmsg" || failed.call == "sendmmsg";
  if (!sends && failed.call != "recvmsg" && failed.call != "recvmmsg") return false;
  return failed.number == ECONNRESET || failed.number == ECONNABORTED || failed.number == ETIMEDOUT;
}

std::string Describe(const CallMade& call) {
  std::string text = call.call;
  if (call.detail != 0) text += "(" + std::to_string(call.level) + ", " + std::to_string(call.detail) + ")";
  if (call.number != 0) text += " fails with " + ErrnoName(call.number);
  return text;
}

int FailedParts() {
  const auto& result = *::testing::UnitTest::GetInstance()->current_test_info()->result();
  int failed = 0;
  for (int i = 0; i < result.total_part_count(); ++i) failed += result.GetTestPartResult(i).failed() ? 1 : 0;
  return failed;
}

std::string Told(const base::Error& error) {
  return error.operation + ": " + error.reason + " (" + std::to_string(error.errno_number) + ") of " +
         error.system_call + ", code " + std::to_string(static_cast<int>(error.code)) + ", origin " +
         std::to_string(static_cast<int>(error.origin));
}

class OneScenario {
 public:
  OneScenario(Rig& rig, NthCallFails& kernel, const Flavour& flavour, const Scenario& scenario)
      : rig_(rig), kernel_(kernel), flavour_(flavour), scenario_(scenario) {}

  size_t Run() {
    SCOPED_TRACE(std::string(scenario_.operation) + ", " + scenario_.how + ", of " + flavour_.name);
    const int failed_before = FailedParts();
    ExpectNothingLeft([this] { RunNormally(); });
    for (size_t n = 1; n <= normal_calls_.size(); ++n) {
      const CallMade& call = normal_calls_[n - 1];
      const auto& errnos = ::socketeer::testing::ErrnosOf(call.call);
      for (size_t which = 0; which < errnos.size(); ++which) {
        CallMade planned = call;
        planned.number = errnos[which];
        SCOPED_TRACE("call " + std::to_string(n) + ": " + Describe(planned));
        std::chrono::nanoseconds patience = SaysWait(planned) ? std::chrono::nanoseconds(kShort) : kHang;
        const auto run = [&] { return RunFailing(n, which, planned, patience); };
        bool reached = false;
        for (; !reached; patience *= 8) ExpectNothingLeft([&] { reached = run(); });
        if (FailedParts() >= failed_before + kEnoughFailures) return injected_;
      }
    }
    return injected_;
  }

  void RunInterrupted() {
    SCOPED_TRACE(std::string(scenario_.operation) + ", " + scenario_.how + ", of " + flavour_.name + ", interrupted");
    ExpectNothingLeft([this] {
      kernel_.InterruptWaits(false);
      RunNormally();
      kernel_.InterruptWaits(true);
      const std::string quiet = normal_.ToString();
      RunNormally();
      EXPECT_EQ(normal_.ToString(), quiet);
    });
  }

 private:
  template <typename F>
  void ExpectNothingLeft(F run) {
    const size_t before = DescriptorCount();
    run();
    EXPECT_EQ(DescriptorCount(), before) << "a descriptor leaked";
  }

  Stage NewStage(std::chrono::nanoseconds patience) {
    return {.rig = rig_, .kernel = kernel_, .scene = Scene(rig_, flavour_), .patience = patience};
  }
  void Prepare(Stage& stage) {
    stage.scene.Bring(scenario_.situation, scenario_.named);
    if (scenario_.prepare != nullptr) scenario_.prepare(stage);
    kernel_.LimitTransfers(scenario_.most_bytes);
  }

  void RunNormally() {
    Stage stage = NewStage(kHang);
    Prepare(stage);
    kernel_.Arm(0, 0);
    normal_ = scenario_.run(stage);
    // On the loop's own thread: it has then left the call.
    rig_.Run([this] { kernel_.Disarm(); });
    normal_calls_ = kernel_.calls();
    EXPECT_FALSE(normal_calls_.empty()) << "it makes no system call";
    ExpectGoodState(stage, {});
    if (scenario_.verify != nullptr) scenario_.verify(stage, normal_, nullptr);
  }

  // Returns whether that call was reached: on a busy machine a short wait may end before it.
  bool RunFailing(size_t n, size_t which, const CallMade& planned, std::chrono::nanoseconds patience) {
    Stage stage = NewStage(patience);
    Prepare(stage);
    const SocketInfo before = stage.socket().info();
    kernel_.Arm(n, which);
    const Outcome outcome = scenario_.run(stage);
    const auto failed = rig_.Run([this] { return kernel_.Disarm(); });
    if (!failed) {
      if (outcome.timed_out && patience < kHang) return false;
      EXPECT_EQ(outcome.ToString(), normal_.ToString()) << "and nothing had failed";
      return true;
    }
    ++injected_;
    if (failed->call != planned.call) return true;  // it took another way; that one is tried, too
    const bool told = Judge(outcome, *failed);
    if (told && !EndsConnection(*failed)) ExpectUnchanged(stage, before, *failed, *outcome.error);
    ExpectGoodState(stage, *failed);
    if (scenario_.verify != nullptr) scenario_.verify(stage, outcome, &*failed);
    if (told && scenario_.repeatable) {
      EXPECT_EQ(scenario_.run(stage).ToString(), normal_.ToString()) << "when called again";
    }
    return true;
  }

  // Returns whether the failure was told.
  bool Judge(const Outcome& outcome, const CallMade& failed) {
    const std::string got = outcome.ToString();
    // Done later, or what there was until then.
    if (scenario_.waits && SaysWait(failed) && !outcome.error) return false;
    if (WhyTolerated(flavour_, scenario_, failed) != nullptr) {
      EXPECT_EQ(got, normal_.ToString()) << "though that failure is tolerated";
      return false;
    }
    // It was failing anyhow, and this was part of clearing up.
    if ((normal_.error || normal_.timed_out) && got == normal_.ToString()) return false;
    if (!outcome.error) {
      ADD_FAILURE() << "it came to: " << got << "; the failure was not told";
      return false;
    }
    const base::Error& error = *outcome.error;
    const auto option = error.metadata.find("option");
    // The one that a state forbids (Socket::SetOptions).
    const bool v6only = error.operation == "setsockopt" && option != error.metadata.end() &&
                        option->second == "v6only" && failed.number == EINVAL;
    // Where a path does not lead connect(2) itself would have said.
    const bool path = NoWay{failed.call.c_str(), failed.number}.IsOfThePath();
    base::Error wanted = KernelError(OperationOf(failed), path ? "connect" : failed.call, failed.number);
    // The second connect(2), which only asks what became of the first: there is a connection, and that forbids
    // connects.
    const bool was_idle = scenario_.situation == Situation::kCreated || scenario_.situation == Situation::kBound;
    const bool connected = failed.call == "connect" && was_idle && error.state == static_cast<int>(State::kConnected);
    if (v6only || connected) wanted.code = base::Code::kFailedPrecondition;
    EXPECT_EQ(Told(error), Told(wanted));
    return true;
  }
  // An open names its step.
  std::string OperationOf(const CallMade& failed) const {
    const std::string operation = scenario_.operation;
    if (std::string(scenario_.how) == "attached" && failed.call == "epoll_ctl") return "attach";
    if (operation != "open") return operation;
    const bool step = failed.call == "bind" || failed.call == "listen" || failed.call == "connect";
    if (step) return failed.call;
    if (failed.call == "ioctl") return "bind";
    const bool follows = failed.call == "open" || failed.call == "readlink" || failed.call == "fstatat";
    if (failed.call == "epoll_ctl" || follows) return "connect";
    // Those that the caller asked for; the others make the kind.
    return failed.call == "setsockopt" && failed.level == SOL_SOCKET ? "setsockopt" : operation;
  }

  // A call that failed has changed nothing, but for what was done before.
  void ExpectUnchanged(Stage& stage, const SocketInfo& before, const CallMade& failed, const base::Error& error) {
    const SocketInfo after = stage.socket().info();
    const bool connects = std::string(scenario_.operation) == "connect";
    const bool under_way =
        connects && (failed.call == "epoll_ctl" || SaysWait(failed) || after.state == State::kConnected);
    if (!under_way && error.datagrams_done == 0) {
      EXPECT_EQ(static_cast<int>(after.state), static_cast<int>(before.state));
    }
    EXPECT_EQ(after.read_shutdown, before.read_shutdown);
    EXPECT_EQ(after.write_shutdown, before.write_shutdown);
  }

  void ExpectGoodState(Stage& stage, const std::optional<CallMade>& failed) {
    const auto expect = [&](TestSocket& socket) {
      if (failed && EndsConnection(*failed)) return;
      const auto deadline = std::chrono::steady_clock::now() + kSettles;
      std::string said = Disagreement(socket);
      while (!said.empty() && std::chrono::steady_clock::now() < deadline) said = Disagreement(socket);
      EXPECT_EQ(said, "");
    };
    if (std::string(scenario_.operation) != "close") expect(stage.socket());
    for (TestSocket& socket : stage.made) expect(socket);
  }

  Rig& rig_;
  NthCallFails& kernel_;
  const Flavour& flavour_;
  const Scenario& scenario_;
  Outcome normal_;
  std::vector<CallMade> normal_calls_;
  size_t injected_ = 0;
};

template <typename F>
void OnEach(const Flavour& flavour, const std::vector<Scenario>& scenarios, F run) {
  NthCallFails kernel;
  Rig rig(16, base::SystemClock(), kernel);
  { TestSocket first = Open(rig, flavour.kind()); }  // the thread to watch
  for (const Scenario& scenario : scenarios) {
    if (!scenario.applies(flavour)) continue;
    OneScenario one(rig, kernel, flavour, scenario);
    run(one);
  }
}

}  // namespace

size_t DescriptorCount() {
  const std::filesystem::directory_iterator list("/proc/self/fd");
  return static_cast<size_t>(std::distance(begin(list), end(list)));
}

std::string Outcome::ToString() const {
  if (error) return error->reason + " of " + error->operation + " (" + error->system_call + "), after " + value;
  return timed_out ? "timed out" : "ok " + value;
}

size_t RunSweep(const Flavour& flavour, const std::vector<Scenario>& scenarios) {
  size_t injected = 0;
  OnEach(flavour, scenarios, [&injected](OneScenario& scenario) { injected += scenario.Run(); });
  return injected;
}

void RunInterrupted(const Flavour& flavour, const std::vector<Scenario>& scenarios) {
  OnEach(flavour, scenarios, [](OneScenario& scenario) { scenario.RunInterrupted(); });
}

}  // namespace socketeer::net::faults
