// Names of sockets, sessions, hosts and labels as people write them; the grammar is the API's.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "absl/status/statusor.h"

namespace socketeer {

// "web" and "sockets/web" become "sockets/web". INVALID_ARGUMENT unless the id is
// [a-z][a-z0-9-]{0,62}.
absl::StatusOr<std::string> ParseSocketName(std::string_view text);

// "web" becomes "web"; the same grammar.
absl::StatusOr<std::string> ParseSocketId(std::string_view text);

// The same for sessions: "demo" and "sessions/demo" become "sessions/demo".
absl::StatusOr<std::string> ParseSessionName(std::string_view text);
absl::StatusOr<std::string> ParseSessionId(std::string_view text);

// The same for barriers and published values: "go" and "barriers/go" become "barriers/go".
absl::StatusOr<std::string> ParseBarrierName(std::string_view text);
absl::StatusOr<std::string> ParseValueName(std::string_view text);

// A host's in a hosts file: the same grammar, so that no name is also an IP address, a path, or has a port.
absl::Status CheckHostName(std::string_view name);

// INVALID_ARGUMENT unless [a-z0-9][a-z0-9._/-]{0,62}.
absl::Status CheckLabelKey(std::string_view key);
// INVALID_ARGUMENT unless it is at most 255 bytes of UTF-8.
absl::Status CheckLabelValue(std::string_view value);

// "app=web" becomes {"app", "web"}. The value is at most 255 bytes of UTF-8 and may be empty.
absl::StatusOr<std::pair<std::string, std::string>> ParseLabel(std::string_view text);

}  // namespace socketeer
