// A step's program on this machine.
#pragma once

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "client/scenario/halt.h"
#include "client/scenario/operation.h"

namespace socketeer::scenario {

// Of each of standard output and standard error; the rest is read, not kept, and the answer has `truncated`.
inline constexpr size_t kMaxProgramOutput = size_t{1} << 20;

// Runs `command`, without a shell, in a process group of its own, which is killed when the program ends, at the halt,
// and after `within`: by SIGTERM, and a second later by SIGKILL. The answer has `status`, or `signal` ("SIGSEGV") in
// its place, `stdout` and `stderr`, byte for byte. The outcome's status: ABORTED: it cannot be started; CANCELLED, or
// ErrorKind::kTimedOut.
Outcome RunProgram(const std::vector<std::string>& command, const std::string& input, Halt& halt,
                   absl::Duration within);

}  // namespace socketeer::scenario
