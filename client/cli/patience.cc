#include "client/cli/patience.h"

#include "absl/time/clock.h"
#include "socketeer/error.h"

namespace socketeer::cli {

void Patience::Answered() {
  if (broken_since_.has_value()) cli_.Note("the daemon is back");
  answered_ = true;
  broken_since_.reset();
}

absl::Status Patience::Forgive(const absl::Status& failure) {
  const ErrorKind kind = Classify(failure);
  const bool may_come_back = kind == ErrorKind::kUnreachable || kind == ErrorKind::kDraining;
  if (!answered_ || !may_come_back) return failure;
  const absl::Time now = absl::Now();
  if (!broken_since_.has_value() && cli_.timeout() > absl::ZeroDuration()) {
    broken_since_ = now;
    cli_.Note(FormatError(failure) + "; trying again");
    return absl::OkStatus();
  }
  return broken_since_.has_value() && now - *broken_since_ < cli_.timeout() ? absl::OkStatus() : failure;
}

}  // namespace socketeer::cli
