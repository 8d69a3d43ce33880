// How calls end, as a closed set of words: "OK", "TIMED_OUT", "REPEATED", an errno's name, a reason of error.proto,
// "OTHER".
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "server/base/error.h"

namespace socketeer::rpc {

using Outcome = uint16_t;  // the word's place among all

inline constexpr Outcome kOkOutcome = 0;
inline constexpr Outcome kTimedOutOutcome = 1;   // its own `timeout` was over: the status is OK
inline constexpr Outcome kRepeatedOutcome = 2;   // a request_id that was answered before: nothing was done
inline constexpr Outcome kCancelledOutcome = 3;  // as the error CANCELLED; also a stream that its caller has cut
inline constexpr size_t kMaxOutcomes = 192;

Outcome OutcomeOf(const base::Error& error);
// All of them, by their places.
const std::vector<std::string>& OutcomeWords();

// The names that a limit may have in an error, LIMIT_REACHED: the daemon's, and of quotas.
const std::vector<std::string>& LimitNames();
// The reasons of errors that are UNAUTHENTICATED, and of callers who cannot be told.
const std::vector<std::string>& AuthenticationReasons();
// Its place; words.size() if it is none of them.
size_t PlaceOf(const std::vector<std::string>& words, std::string_view word);

}  // namespace socketeer::rpc
