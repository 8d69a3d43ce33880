// What an error means for the step that it ended.
#pragma once

#include "absl/status/status.h"
#include "client/report/result.h"

namespace socketeer::scenario {

// kPassed for OK. ABORTED that no daemon sent is a program's: kFailed. CANCELLED is kInterrupted; whoever knows better
// why it was cancelled says so.
report::Verdict VerdictOf(const absl::Status& status);

}  // namespace socketeer::scenario
