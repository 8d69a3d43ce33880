// Where a daemon is, and the gRPC channel to it. Private to the library.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "grpcpp/channel.h"
#include "socketeer/call_options.h"
#include "socketeer/credentials.h"

namespace socketeer::internal {

struct Target {
  std::string endpoint;  // for people: "unix:/run/socketeer.sock", "build-3:7625"
  std::string uri;       // for gRPC
  std::string host{};    // without brackets; empty: a UNIX socket
  std::string port{};
};

// Whether it is meant as a UNIX socket's.
bool IsUnixAddress(std::string_view text);

// "unix:PATH", a path with a slash in front, or HOST[:7625].
absl::StatusOr<Target> ParseTarget(std::string_view text);

// When a daemon's host that went away without a word is noticed: while a call is under way, a connection that nothing
// came by for `after` is pinged, and it counts as broken when that is not answered within `timeout`. The daemon cuts
// off who pings more than once a second.
struct Keepalive {
  std::chrono::milliseconds after{10'000};
  std::chrono::milliseconds timeout{5'000};
};

// INVALID_ARGUMENT: they cannot be used there.
absl::Status CheckCredentials(const Target& target, const Credentials& credentials);

// Makes no connection yet. With TLS if there is a CA. The token is not the channel's. `connect_time`: as in
// HostOptions.
std::shared_ptr<grpc::Channel> MakeChannel(const Target& target, const Keepalive& keepalive = {},
                                           const Credentials& credentials = {},
                                           absl::Duration connect_time = HostOptions().connect_time);

}  // namespace socketeer::internal
