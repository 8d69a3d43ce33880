// What the tests of attached datagrams and listeners have in common.
#pragma once

#include <string>

#include "tests/contract/attach_rig.h"
#include "tests/support/counted.h"

namespace socketeer::contract {

using testing::Counted;

// Opens, writes each of `frames`, and says how it ends.
inline Problem EndBehind(const testing::Caller& caller, const v1::Socket& socket,
                         const std::vector<std::string>& frames, const std::string& open = "") {
  Counted counted(caller, socket, open);
  for (const std::string& frame : frames) {
    if (!counted.refused()) counted.Write(frame);
  }
  return counted.End();
}

inline void ExpectRefused(const Problem& problem, const std::string& reason, const std::string& field) {
  EXPECT_EQ(problem.reason, reason) << problem.message;
  EXPECT_EQ(problem.Given("field"), field) << problem.message;
  EXPECT_TRUE(problem.rich);
  EXPECT_EQ(problem.error.operation(), "attach");
}

}  // namespace socketeer::contract
