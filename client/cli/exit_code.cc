#include "client/cli/exit_code.h"

#include <algorithm>

#include "client/cli/interrupt.h"
#include "socketeer/error.h"

namespace socketeer::cli {

int ExitCodeFor(const absl::Status& status) {
  // Of this program alone: standard output could not be written.
  if (status.code() == absl::StatusCode::kDataLoss) return kExitFailed;
  switch (Classify(status)) {
    case ErrorKind::kNone:
      return kExitOk;
    case ErrorKind::kArgument:
      return kExitUsage;
    case ErrorKind::kDaemon:
      return status.code() == absl::StatusCode::kInvalidArgument ? kExitUsage : kExitFailed;
    case ErrorKind::kKernel:
      return kExitFailed;
    case ErrorKind::kPolicy:
      return kExitDenied;
    case ErrorKind::kDraining:
    case ErrorKind::kUnreachable:
    case ErrorKind::kTls:
    case ErrorKind::kProtocol:
      return kExitUnreachable;
    case ErrorKind::kTimedOut:
      return kExitTimedOut;
    case ErrorKind::kCancelled:
      return InterruptSignal() == 0 ? kExitFailed : kExitSignal + InterruptSignal();
  }
  return kExitFailed;
}

int GraverExitCode(int one, int other) {
  constexpr int kByGravity[] = {kExitUnreachable, kExitUsage, kExitDenied, kExitFailed, kExitTimedOut, kExitUnexpected};
  if (one >= kExitSignal || other >= kExitSignal) return std::max(one, other);
  for (const int code : kByGravity) {
    if (one == code || other == code) return code;
  }
  return kExitOk;
}

}  // namespace socketeer::cli
