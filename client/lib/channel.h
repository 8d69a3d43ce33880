// Where a daemon is, and the gRPC channel to it. Private to the library.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "grpcpp/channel.h"

namespace socketeer::internal {

struct Target {
  std::string endpoint;  // for people: "unix:/run/socketeer.sock", "build-3:7625"
  std::string uri;       // for gRPC
};

// "unix:PATH", a path with a slash in front, or HOST[:7625].
absl::StatusOr<Target> ParseTarget(std::string_view text);

// Makes no connection yet.
std::shared_ptr<grpc::Channel> MakeChannel(const Target& target);

}  // namespace socketeer::internal
