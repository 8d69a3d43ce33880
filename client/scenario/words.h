// Words that several parts read and write alike.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace socketeer::scenario {

// "a, b, c".
std::string Listed(const std::vector<std::string>& words);

// "500ms", "2s": 0 to 24 h. INVALID_ARGUMENT for anything else, also for one without an end ("none").
absl::StatusOr<absl::Duration> ParseDurationWord(std::string_view text);

}  // namespace socketeer::scenario
