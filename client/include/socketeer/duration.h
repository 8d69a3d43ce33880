// Durations as people write them.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace socketeer {

// The longest timeout that the daemon takes.
inline constexpr absl::Duration kMaxTimeout = absl::Hours(24);

// "500ms", "2s", "1m", "1h", "1m30s"; "0" is zero; "none" and "inf" are absl::InfiniteDuration().
// INVALID_ARGUMENT for anything else, also for less than 0 and for more than 24 h.
absl::StatusOr<absl::Duration> ParseTimeout(std::string_view text);

// "500ms", "2s", "1m", "1h", "1m30s". INVALID_ARGUMENT for anything else, also outside of `min` to `max`.
absl::StatusOr<absl::Duration> ParseDuration(std::string_view text, absl::Duration min, absl::Duration max);

}  // namespace socketeer
