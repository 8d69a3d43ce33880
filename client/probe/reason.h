// What a probe finds, in one word.
#pragma once

#include <set>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace socketeer::probe {

// How it went. Of a far end: the probe itself listened there, so that it knows what arrived.
enum class Reason {
  kOpen,          // somebody took the connection, or answered the datagram; with a far end: it was that, both ways
  kRefused,       // nobody listens there: a reset, or ICMP's port unreachable
  kTimeout,       // nothing came back
  kUnreachable,   // no way there: ICMP, no route, or nobody has the address
  kReset,         // the connection broke before anything was said
  kDropped,       // a far end was there, and what was sent never reached it; or this host's filter dropped it
  kRejected,      // a far end was there, and something before it refused in its place
  kOneWay,        // it reached the far end, whose answer was lost
  kSomebodyElse,  // somebody answers who is not the far end
  kNoAnswer,      // UDP without a far end: open or filtered, nobody can know
  kDns,           // the name does not resolve where it was asked from
  kDenied,        // by a daemon: its policy, or it does not take the caller for anybody
  kNoDaemon,      // a daemon cannot be reached, or it is stopping: nothing is known
  kFailed,        // anything else; the error says what
};

// "open", "somebody-else", "no-daemon".
std::string_view ReasonWord(Reason reason);
// Whether the network keeps them apart: refused, timeout, unreachable, reset, dropped, rejected.
bool IsBlocked(Reason reason);

// The reasons that are as they should be; never none.
using Expected = std::set<Reason>;
// A reason's word, or "blocked" for all of IsBlocked. INVALID_ARGUMENT has the words that there are.
absl::StatusOr<Expected> ParseExpected(std::string_view word);
// "open", "blocked", "refused or timeout".
std::string ExpectedText(const Expected& expected);

// What an error of connecting, sending or receiving means; not OK, and not the caller's own (CANCELLED).
// `far_listens`: there was a far end.
Reason ReasonOfError(const absl::Status& status, bool far_listens);

}  // namespace socketeer::probe
