// Whether one host reaches another, and if not, why: asked of the hosts themselves, through their daemons.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "client/probe/far_end.h"
#include "client/probe/reason.h"
#include "socketeer/host.h"
#include "socketeer/v1/endpoint.pb.h"

namespace socketeer::probe {

// Longer than a kernel takes to find that nobody has an address (3 s).
inline constexpr absl::Duration kDefaultTimeout = absl::Seconds(5);
// How often a datagram is sent while nothing comes back.
inline constexpr int kDatagrams = 3;

// The sockets are made in the session that `from` and `far` are called in, and closed before there is an answer.
struct Question {
  std::string from_name{};                                                   // for people, as all names here
  absl::StatusOr<Host> from{absl::UnavailableError("no daemon was given")};  // an error: why there is none
  v1::Endpoint to{};                                                         // of TCP's also a UNIX socket's
  Protocol protocol = Protocol::kTcp;
  // With it the port is opened there before, and what arrives is known. Not for a UNIX socket.
  std::optional<absl::StatusOr<Host>> far{};
  std::string far_name{};
  absl::Duration timeout = kDefaultTimeout;      // of one connection, or of all datagrams together
  absl::Time deadline = absl::InfiniteFuture();  // no call goes on behind it
};

struct Answer {
  Reason reason = Reason::kFailed;
  std::string error{};   // "ECONNREFUSED", "POLICY_DENIED"; "": none
  int errno_number = 0;  // of the host's kernel
  std::string detail{};  // a line for people; "": there is nothing to add
  absl::Duration took{};
};

// An error: the question is none, or it was cancelled.
absl::StatusOr<Answer> Ask(const Question& question, Cancellation* cancellation);

// Many at once, in threads of its own; the answers in the order of the questions. Those to one port of a far end share
// it.
std::vector<absl::StatusOr<Answer>> AskAll(const std::vector<Question>& questions, Cancellation* cancellation);

}  // namespace socketeer::probe
