#include "socketeer/duration.h"

#include <optional>

#include "socketeer/text.h"

namespace socketeer {
namespace {

std::optional<absl::Duration> Within(std::string_view text, absl::Duration min, absl::Duration max) {
  absl::Duration duration;
  const bool well_formed = absl::ParseDuration(absl::string_view(text.data(), text.size()), &duration);
  return well_formed && duration >= min && duration <= max ? std::optional(duration) : std::nullopt;
}

}  // namespace

absl::StatusOr<absl::Duration> ParseTimeout(std::string_view text) {
  if (text == "none" || text == "inf") return absl::InfiniteDuration();
  if (const auto timeout = Within(text, absl::ZeroDuration(), kMaxTimeout)) return *timeout;
  return absl::InvalidArgumentError(Quoted(text) +
                                    " is not a timeout: 0 to 24h, as in 500ms, 2s, 1m, 1h; "
                                    "0 tries once, none waits without a limit");
}

absl::StatusOr<absl::Duration> ParseDuration(std::string_view text, absl::Duration min, absl::Duration max) {
  if (const auto duration = Within(text, min, max)) return *duration;
  return absl::InvalidArgumentError(Quoted(text) + " is not a duration: " + absl::FormatDuration(min) + " to " +
                                    absl::FormatDuration(max) + ", as in 500ms, 2s, 1m, 1h");
}

}  // namespace socketeer
