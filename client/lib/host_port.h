// HOST:PORT, taken apart. Private to the library.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "absl/status/statusor.h"

namespace socketeer::internal {

// Views into the text that was split.
struct HostPort {
  std::string_view host;  // without brackets
  bool bracketed = false;
  std::optional<std::string_view> port;  // the text after the colon
};

// "a:1", "a", "[::1]:1", "[::1]". INVALID_ARGUMENT: brackets that do not fit, or colons without
// them.
absl::StatusOr<HostPort> SplitHostPort(std::string_view text);

// 0 to 65535, digits only.
absl::StatusOr<uint32_t> ParsePort(std::string_view text);

bool IsIpv4(std::string_view text);
bool IsIpv6(std::string_view text);

// Letters, digits, '.', '-' and '_', at most 253; and not only digits and dots, which would be
// a malformed address.
bool IsHostName(std::string_view text);

}  // namespace socketeer::internal
