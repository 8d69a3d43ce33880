// The program's exit codes: docs/cli.md.
#pragma once

#include "absl/status/status.h"

namespace socketeer::cli {

inline constexpr int kExitOk = 0;
inline constexpr int kExitUsage = 1;        // usage, or a value refused before any system call
inline constexpr int kExitUnreachable = 2;  // no daemon, or one that is stopping
inline constexpr int kExitFailed = 3;       // the socket operation failed
inline constexpr int kExitUnexpected = 4;   // an expectation did not hold
inline constexpr int kExitDenied = 5;       // by the daemon's policy
inline constexpr int kExitTimedOut = 6;
inline constexpr int kExitSignal = 128;  // plus the signal's number

int ExitCodeFor(const absl::Status& status);

// Of what happened on many hosts, the one to end with: ended by a signal, unreachable, a value refused, denied, failed,
// timed out, an expectation that did not hold, in this order.
int GraverExitCode(int one, int other);

}  // namespace socketeer::cli
