// Errors of `nc`, told in what was typed.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "client/cli/nc_plan.h"

namespace socketeer::cli {

// Why the socket could not be opened: with the flag or argument that was refused, where the daemon names a field of the
// API. What `error` is besides, its kind and its details, stays.
absl::Status OpenErrorAsTyped(const absl::Status& error, const NcPlan& plan);

// The same error with other words.
absl::Status Reworded(const absl::Status& error, const std::string& message);

}  // namespace socketeer::cli
