#include "socketeer/duration.h"

#include <string>

#include "socketeer/text.h"

namespace socketeer {
namespace {

// Of the forms that people write, those that `min` to `max` allows.
std::string Examples(absl::Duration min, absl::Duration max) {
  std::string examples;
  for (const absl::Duration one : {absl::Milliseconds(500), absl::Seconds(2), absl::Minutes(1), absl::Hours(1)}) {
    if (one >= min && one <= max) examples += (examples.empty() ? ", as in " : ", ") + absl::FormatDuration(one);
  }
  return examples;
}

// `what` is "a duration"; an infinite one is none here.
absl::StatusOr<absl::Duration> Within(std::string_view text, std::string_view what, absl::Duration min,
                                      absl::Duration max) {
  absl::Duration duration;
  const bool well_formed =
      !text.ends_with("inf") && absl::ParseDuration(absl::string_view(text.data(), text.size()), &duration);
  if (well_formed && duration >= min && duration <= max) return duration;
  const std::string range = absl::FormatDuration(min) + " to " + absl::FormatDuration(max);
  if (well_formed) return absl::InvalidArgumentError(Quoted(text) + " is out of range: " + range);
  return absl::InvalidArgumentError(Quoted(text) + " is not " + std::string(what) + ": " + range + Examples(min, max));
}

}  // namespace

absl::StatusOr<absl::Duration> ParseTimeout(std::string_view text) {
  if (text == "none" || text == "inf") return absl::InfiniteDuration();
  absl::StatusOr<absl::Duration> timeout = Within(text, "a timeout", absl::ZeroDuration(), kMaxTimeout);
  if (timeout.ok()) return timeout;
  return absl::InvalidArgumentError(std::string(timeout.status().message()) +
                                    "; 0 tries once, none waits without a limit");
}

absl::StatusOr<absl::Duration> ParseDuration(std::string_view text, absl::Duration min, absl::Duration max) {
  return Within(text, "a duration", min, max);
}

}  // namespace socketeer
