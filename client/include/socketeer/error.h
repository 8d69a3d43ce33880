// Errors of this library: an absl::Status whose payloads are the details that the daemon sent,
// keyed by their type URLs.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "google/rpc/error_details.pb.h"
#include "socketeer/v1/error.pb.h"

namespace socketeer {

// Who failed. A refused peer, a refusal by the daemon and a daemon that is not there are three
// kinds.
enum class ErrorKind {
  kNone,         // the status is OK
  kArgument,     // this library refused a value; no call was made
  kKernel,       // the host's kernel: a refused peer, an address in use, a reset
  kDaemon,       // the daemon: the registry, a limit, an invalid request, a wrong kind or state
  kPolicy,       // the daemon's policy
  kDraining,     // the daemon is stopping
  kUnreachable,  // no daemon answers there, or it stopped answering
  kTls,          // it is there, but TLS with it fails: one side does not believe the other
  kProtocol,     // what answers there does not speak this API
  kTimedOut,     // the call's own timeout was over
  kCancelled,    // the caller gave up
};

ErrorKind Classify(const absl::Status& status);

// The daemon's details; nullopt when the error did not come from a daemon.
std::optional<google::rpc::ErrorInfo> ErrorInfoOf(const absl::Status& status);
std::optional<v1::SocketError> SocketErrorOf(const absl::Status& status);

// ErrorInfo.reason: the errno's name, or one of the words in error.proto; "" without one.
std::string ReasonOf(const absl::Status& status);
// errno(3) as the daemon's host numbers it; 0 unless the kernel refused.
int ErrnoOf(const absl::Status& status);

// What the library returns when a call's own timeout was over and there is nothing to hand out:
// DEADLINE_EXCEEDED, kTimedOut.
absl::Status TimedOutError(std::string_view message);

// One or two lines for people, without an end of line:
//
//   connect: Connection refused (ECONNREFUSED) 10.0.0.1:80
//     sockets/web: BOUND, local 10.0.0.2:43117
std::string FormatError(const absl::Status& status);

}  // namespace socketeer
