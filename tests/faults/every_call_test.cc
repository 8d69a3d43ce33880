// Every system call of every operation fails, with every errno of its manual page: the right error, nothing leaks, and
// the socket is in the state that it says.
#include <gtest/gtest.h>

#include <cstdio>

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

INSTANTIATE_TEST_SUITE_P(Kinds, Faults, ::testing::ValuesIn(testing::kFlavours),
                         [](const auto& kind) { return std::string(kind.param.name); });

}  // namespace
}  // namespace socketeer::net::faults
