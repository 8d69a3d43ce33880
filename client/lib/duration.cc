#include "socketeer/duration.h"

#include "socketeer/text.h"

namespace socketeer {

absl::StatusOr<absl::Duration> ParseTimeout(std::string_view text) {
  if (text == "none" || text == "inf") return absl::InfiniteDuration();
  absl::Duration timeout;
  const bool well_formed = absl::ParseDuration(absl::string_view(text.data(), text.size()), &timeout);
  if (!well_formed || timeout < absl::ZeroDuration() || timeout > kMaxTimeout) {
    return absl::InvalidArgumentError(Quoted(text) +
                                      " is not a timeout: 0 to 24h, as in 500ms, 2s, 1m, 1h; "
                                      "0 tries once, none waits without a limit");
  }
  return timeout;
}

}  // namespace socketeer
