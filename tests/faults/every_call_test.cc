// Every system call of every operation fails, with every errno of its manual page: the right error, nothing leaks, and
// the socket is in the state that it says.
#include <gtest/gtest.h>

#include <cstdio>

#include "server/net/errno_table.h"
#include "tests/faults/sweep.h"

namespace socketeer::net::faults {
namespace {

class Faults : public ::testing::TestWithParam<Flavour> {
 protected:
  void ExpectAtLeast(size_t least, const std::vector<Scenario>& scenarios) {
    const size_t injected = RunSweep(GetParam(), scenarios);
    RecordProperty("injected", static_cast<int>(injected));
    std::printf("%zu failures injected\n", injected);
    EXPECT_GE(injected, least) << "it hardly tests anything";
  }
};

TEST_P(Faults, OfOpen) { ExpectAtLeast(100, OpenScenarios()); }
TEST_P(Faults, OfConnections) { ExpectAtLeast(100, ConnectionScenarios()); }
TEST_P(Faults, OfData) {
  const bool stream = GetParam().type == SOCK_STREAM;
  ExpectAtLeast(100, stream ? StreamScenarios() : DatagramScenarios());
}
TEST_P(Faults, OfAwait) { ExpectAtLeast(20, AwaitScenarios()); }

TEST_P(Faults, OfWhatIsAttached) { ExpectAtLeast(20, AttachScenarios()); }

TEST_P(Faults, OfTheLoopsOwnWait) {
  for (const auto& scenarios :
       {OpenScenarios(), ConnectionScenarios(), StreamScenarios(), DatagramScenarios(), AwaitScenarios()}) {
    RunInterrupted(GetParam(), scenarios);
  }
}

INSTANTIATE_TEST_SUITE_P(Kinds, Faults, ::testing::ValuesIn(testing::kFlavours),
                         [](const auto& kind) { return std::string(kind.param.name); });

TEST(FaultsOfAShard, InItsMaking) {
  NthCallFails kernel;
  base::WorkerPool closers(1);
  RetainedBudget retained(1 << 20, 1 << 20);
  const auto make = [&] {
    auto made = Shard::Create(kernel, base::SystemClock(), closers, 16, retained);
    return made.ok() ? Outcome() : Outcome{.error = std::move(made).error()};
  };
  kernel.Arm(0, 0);
  EXPECT_EQ(make().ToString(), "ok ");
  const auto calls = kernel.calls();
  ASSERT_GE(calls.size(), 3u);
  const size_t before = DescriptorCount();
  for (size_t n = 1; n <= calls.size(); ++n) {
    for (size_t which = 0; which < ::socketeer::testing::ErrnosOf(calls[n - 1].call).size(); ++which) {
      kernel.Arm(n, which);
      const Outcome outcome = make();
      const auto failed = kernel.Disarm();
      ASSERT_TRUE(failed);
      SCOPED_TRACE(failed->call + " fails with " + ErrnoName(failed->number));
      EXPECT_EQ(DescriptorCount(), before);
      if (failed->call == "close") continue;  // of its end
      ASSERT_TRUE(outcome.error);
      EXPECT_EQ(outcome.error->errno_number, failed->number);
      EXPECT_EQ(outcome.error->system_call, failed->call);
    }
  }
}

}  // namespace
}  // namespace socketeer::net::faults
