#include "client/scenario/words.h"

#include "absl/strings/str_join.h"
#include "socketeer/duration.h"
#include "socketeer/text.h"

namespace socketeer::scenario {

std::string Listed(const std::vector<std::string>& words) { return absl::StrJoin(words, ", "); }

absl::StatusOr<absl::Duration> ParseDurationWord(std::string_view text) {
  if (text == "none" || text == "inf") {
    return absl::InvalidArgumentError(Quoted(text) + " has no end, and everything here must have one: at most 24h");
  }
  return ParseDuration(text, absl::ZeroDuration(), kMaxTimeout);
}

}  // namespace socketeer::scenario
