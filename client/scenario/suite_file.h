// A scenario's file.
#pragma once

#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "client/scenario/model.h"

namespace socketeer::scenario {

// Reads the file at `path`. INVALID_ARGUMENT, which begins with the path: it cannot be read, is longer than 1 MiB, or
// what ReadScenario says.
absl::StatusOr<Scenario> ReadScenarioFile(const std::string& path, const std::map<std::string, std::string>& given);

}  // namespace socketeer::scenario
