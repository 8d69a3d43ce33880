// The words that an expectation may have.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"

namespace socketeer::scenario {

// equals, not, one-of, ...
const std::vector<std::string>& MatcherWords();
// INVALID_ARGUMENT unless it is a regular expression (RE2).
absl::Status CheckExpression(const std::string& expression);

}  // namespace socketeer::scenario
