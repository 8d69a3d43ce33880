#include "client/cli/exit_code.h"

#include <iterator>
#include <string>

#include "absl/strings/cord.h"
#include "google/rpc/error_details.pb.h"
#include "gtest/gtest.h"
#include "socketeer/error.h"

namespace socketeer::cli {
namespace {

absl::Status FromDaemon(absl::StatusCode code, const std::string& reason, v1::Origin origin) {
  google::rpc::ErrorInfo info;
  info.set_domain("socketeer");
  info.set_reason(reason);
  v1::SocketError error;
  error.set_origin(origin);
  absl::Status status(code, "message");
  status.SetPayload("type.googleapis.com/google.rpc.ErrorInfo", absl::Cord(info.SerializeAsString()));
  status.SetPayload("type.googleapis.com/socketeer.v1.SocketError", absl::Cord(error.SerializeAsString()));
  return status;
}

TEST(ExitCodeFor, EveryKindHasItsCode) {
  using absl::StatusCode;
  EXPECT_EQ(ExitCodeFor(absl::OkStatus()), 0);
  EXPECT_EQ(ExitCodeFor(absl::InvalidArgumentError("--timeout")), 1);
  EXPECT_EQ(ExitCodeFor(FromDaemon(StatusCode::kInvalidArgument, "INVALID_FIELD", v1::ORIGIN_DAEMON)), 1);
  EXPECT_EQ(ExitCodeFor(absl::UnavailableError("no daemon")), 2);
  EXPECT_EQ(ExitCodeFor(FromDaemon(StatusCode::kUnavailable, "DRAINING", v1::ORIGIN_DAEMON)), 2);
  EXPECT_EQ(ExitCodeFor(absl::InternalError("not our API")), 2);
  EXPECT_EQ(ExitCodeFor(FromDaemon(StatusCode::kFailedPrecondition, "ECONNREFUSED", v1::ORIGIN_KERNEL)), 3);
  EXPECT_EQ(ExitCodeFor(FromDaemon(StatusCode::kInvalidArgument, "EINVAL", v1::ORIGIN_KERNEL)), 3);
  EXPECT_EQ(ExitCodeFor(FromDaemon(StatusCode::kPermissionDenied, "EACCES", v1::ORIGIN_KERNEL)), 3);
  EXPECT_EQ(ExitCodeFor(FromDaemon(StatusCode::kNotFound, "SOCKET_NOT_FOUND", v1::ORIGIN_REGISTRY)), 3);
  EXPECT_EQ(ExitCodeFor(FromDaemon(StatusCode::kAlreadyExists, "SOCKET_EXISTS", v1::ORIGIN_REGISTRY)), 3);
  EXPECT_EQ(ExitCodeFor(FromDaemon(StatusCode::kResourceExhausted, "LIMIT_REACHED", v1::ORIGIN_LIMIT)), 3);
  EXPECT_EQ(ExitCodeFor(FromDaemon(StatusCode::kNotFound, "NAME_NOT_RESOLVED", v1::ORIGIN_DAEMON)), 3);
  EXPECT_EQ(ExitCodeFor(FromDaemon(StatusCode::kAborted, "SESSION_ENDED", v1::ORIGIN_REGISTRY)), 3);
  EXPECT_EQ(ExitCodeFor(FromDaemon(StatusCode::kNotFound, "SESSION_NOT_FOUND", v1::ORIGIN_REGISTRY)), 3);
  EXPECT_EQ(ExitCodeFor(FromDaemon(StatusCode::kOutOfRange, "REVISION_TOO_OLD", v1::ORIGIN_REGISTRY)), 3);
  EXPECT_EQ(ExitCodeFor(FromDaemon(StatusCode::kInvalidArgument, "REQUEST_ID_REUSED", v1::ORIGIN_DAEMON)), 1);
  EXPECT_EQ(ExitCodeFor(absl::DataLossError("stdout")), 3);
  EXPECT_EQ(ExitCodeFor(FromDaemon(StatusCode::kPermissionDenied, "DENIED", v1::ORIGIN_POLICY)), 5);
  EXPECT_EQ(ExitCodeFor(TimedOutError("recv")), 6);
}

TEST(GraverExitCode, OfEachTwo) {
  const int by_gravity[] = {143, 130, 2, 1, 5, 3, 6, 4, 0};
  for (size_t graver = 0; graver < std::size(by_gravity); ++graver) {
    for (size_t other = graver; other < std::size(by_gravity); ++other) {
      EXPECT_EQ(GraverExitCode(by_gravity[graver], by_gravity[other]), by_gravity[graver]);
      EXPECT_EQ(GraverExitCode(by_gravity[other], by_gravity[graver]), by_gravity[graver]);
    }
  }
}

}  // namespace
}  // namespace socketeer::cli
