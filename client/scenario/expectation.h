// The words that an expectation may have.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"

namespace socketeer::scenario {

// equals, not, one-of, ...
const std::vector<std::string>& MatcherWords();
// INVALID_ARGUMENT unless `wanted` is what the word takes: a number, true or false, an expression.
absl::Status CheckWanted(std::string_view word, const std::string& wanted);
// INVALID_ARGUMENT unless it is a regular expression (RE2).
absl::Status CheckExpression(const std::string& expression);

}  // namespace socketeer::scenario
