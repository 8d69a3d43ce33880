#include "client/scenario/verdict.h"

#include "client/scenario/operation.h"
#include "socketeer/error.h"

namespace socketeer::scenario {

report::Verdict VerdictOf(const absl::Status& status) {
  using report::Verdict;
  if (IsUnexpected(status)) return Verdict::kUnexpected;
  if (absl::IsAborted(status) && !ErrorInfoOf(status).has_value()) return Verdict::kFailed;
  switch (Classify(status)) {
    case ErrorKind::kNone:
      return Verdict::kPassed;
    case ErrorKind::kArgument:
      return Verdict::kUsage;
    case ErrorKind::kDaemon:
      return status.code() == absl::StatusCode::kInvalidArgument ? Verdict::kUsage : Verdict::kFailed;
    case ErrorKind::kKernel:
      return Verdict::kFailed;
    case ErrorKind::kPolicy:
      return Verdict::kDenied;
    case ErrorKind::kDraining:
    case ErrorKind::kUnreachable:
    case ErrorKind::kTls:
    case ErrorKind::kProtocol:
      return Verdict::kUnreachable;
    case ErrorKind::kTimedOut:
      return Verdict::kTimedOut;
    case ErrorKind::kCancelled:
      return Verdict::kInterrupted;
  }
  return Verdict::kFailed;
}

}  // namespace socketeer::scenario
