// Bytes in hexadecimal digits.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace socketeer::cli {

// "68656c6c6f", "68 65 6C", "68:65": pairs of digits with blanks or colons between them.
absl::StatusOr<std::string> ParseHex(std::string_view text);

}  // namespace socketeer::cli
