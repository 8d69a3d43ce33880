#include "socketeer/error.h"

#include <memory>
#include <string>

#include "gmock/gmock.h"
#include "grpcpp/client_context.h"
#include "gtest/gtest.h"
#include "socketeer/host.h"
#include "tests/client/fake_status.h"
#include "tests/client/mocks.h"

namespace socketeer {
namespace {

using ::testing::_;
using ::testing::HasSubstr;
using ::testing::Return;

// What the library makes of a status that a call returned.
absl::Status Converted(const grpc::Status& status) {
  auto stub = std::make_shared<v1::MockSocketServiceStub>();
  EXPECT_CALL(*stub, GetSocket(_, _, _)).WillOnce(Return(status));
  const Host host({.sockets = stub, .sessions = nullptr, .host = nullptr, .health = nullptr}, "unix:/x");
  return host.Find("sockets/web").status();
}

TEST(Classify, ARefusedPeerARefusalAndAnUnreachableDaemonAreThreeThings) {
  EXPECT_EQ(Classify(Converted(RefusedPeer())), ErrorKind::kKernel);
  EXPECT_EQ(Classify(Converted(DaemonStatus(grpc::StatusCode::NOT_FOUND, "SOCKET_NOT_FOUND", v1::ORIGIN_REGISTRY))),
            ErrorKind::kDaemon);
  EXPECT_EQ(Classify(Converted(grpc::Status(grpc::StatusCode::UNAVAILABLE, "Connection refused"))),
            ErrorKind::kUnreachable);
}

TEST(Classify, EveryOriginHasItsKind) {
  using grpc::StatusCode;
  const auto kind = [](StatusCode code, const std::string& reason, v1::Origin origin) {
    return Classify(Converted(DaemonStatus(code, reason, origin)));
  };
  EXPECT_EQ(kind(StatusCode::PERMISSION_DENIED, "DENIED", v1::ORIGIN_POLICY), ErrorKind::kPolicy);
  EXPECT_EQ(kind(StatusCode::PERMISSION_DENIED, "EACCES", v1::ORIGIN_KERNEL), ErrorKind::kKernel);
  EXPECT_EQ(kind(StatusCode::RESOURCE_EXHAUSTED, "LIMIT_REACHED", v1::ORIGIN_LIMIT), ErrorKind::kDaemon);
  EXPECT_EQ(kind(StatusCode::INVALID_ARGUMENT, "INVALID_FIELD", v1::ORIGIN_DAEMON), ErrorKind::kDaemon);
  EXPECT_EQ(kind(StatusCode::NOT_FOUND, "SESSION_NOT_FOUND", v1::ORIGIN_REGISTRY), ErrorKind::kDaemon);
  EXPECT_EQ(kind(StatusCode::ABORTED, "SESSION_ENDED", v1::ORIGIN_REGISTRY), ErrorKind::kDaemon);
  EXPECT_EQ(kind(StatusCode::INVALID_ARGUMENT, "REQUEST_ID_REUSED", v1::ORIGIN_DAEMON), ErrorKind::kDaemon);
  EXPECT_EQ(kind(StatusCode::UNAVAILABLE, "DRAINING", v1::ORIGIN_DAEMON), ErrorKind::kDraining);
  EXPECT_EQ(kind(StatusCode::CANCELLED, "CANCELLED", v1::ORIGIN_DAEMON), ErrorKind::kCancelled);
  EXPECT_EQ(kind(StatusCode::FAILED_PRECONDITION, "ETIMEDOUT", v1::ORIGIN_KERNEL), ErrorKind::kKernel);
}

TEST(Classify, ErrorsWithoutADaemonsDetails) {
  EXPECT_EQ(Classify(absl::OkStatus()), ErrorKind::kNone);
  EXPECT_EQ(Classify(absl::InvalidArgumentError("port")), ErrorKind::kArgument);
  EXPECT_EQ(Classify(TimedOutError("accept: nobody")), ErrorKind::kTimedOut);
  const auto kind = [](grpc::StatusCode code) { return Classify(Converted({code, "why"})); };
  EXPECT_EQ(kind(grpc::StatusCode::DEADLINE_EXCEEDED), ErrorKind::kUnreachable);
  EXPECT_EQ(kind(grpc::StatusCode::CANCELLED), ErrorKind::kCancelled);
  EXPECT_EQ(kind(grpc::StatusCode::UNIMPLEMENTED), ErrorKind::kProtocol);
  EXPECT_EQ(kind(grpc::StatusCode::INTERNAL), ErrorKind::kProtocol);
  EXPECT_EQ(kind(grpc::StatusCode::INVALID_ARGUMENT), ErrorKind::kProtocol);
  EXPECT_EQ(kind(grpc::StatusCode::RESOURCE_EXHAUSTED), ErrorKind::kProtocol);
}

TEST(Classify, AForeignDomainIsNotOurDaemon) {
  google::rpc::ErrorInfo info;
  info.set_domain("proxy.example");
  info.set_reason("DRAINING");
  google::rpc::Status rich;
  rich.add_details()->PackFrom(info);
  const grpc::Status status(grpc::StatusCode::UNAVAILABLE, "upstream", rich.SerializeAsString());
  EXPECT_EQ(Classify(Converted(status)), ErrorKind::kUnreachable);
}

TEST(Classify, GarbledDetailsAreNoDetails) {
  const grpc::Status status(grpc::StatusCode::UNAVAILABLE, "x", "\xff\xff not a proto");
  EXPECT_EQ(Classify(Converted(status)), ErrorKind::kUnreachable);
}

TEST(SocketErrorOf, CarriesEverythingTheDaemonSaid) {
  const absl::Status status = Converted(RefusedPeer());
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(ReasonOf(status), "ECONNREFUSED");
  EXPECT_EQ(ErrnoOf(status), 111);
  const std::optional<v1::SocketError> error = SocketErrorOf(status);
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->operation(), "connect");
  EXPECT_EQ(error->peer().inet().ip(), "10.0.0.1");
  EXPECT_EQ(ErrorInfoOf(status)->domain(), "socketeer");
}

TEST(SocketErrorOf, IsNothingForOtherErrors) {
  EXPECT_EQ(SocketErrorOf(absl::InvalidArgumentError("x")), std::nullopt);
  EXPECT_EQ(ErrorInfoOf(absl::OkStatus()), std::nullopt);
  EXPECT_EQ(ErrnoOf(TimedOutError("x")), 0);
  EXPECT_EQ(ReasonOf(absl::UnavailableError("x")), "");
}

TEST(FormatError, OfAKernelErrorNamesThePeerAndTheSocket) {
  EXPECT_EQ(FormatError(Converted(RefusedPeer())),
            "connect: Connection refused (ECONNREFUSED) 10.0.0.1:80\n"
            "  sockets/web: BOUND, local 10.0.0.2:4000");
}

TEST(FormatError, WithoutASocketIsOneLine) {
  v1::SocketError error;
  error.set_operation("bind");
  error.set_system_call("bind");
  error.set_origin(v1::ORIGIN_KERNEL);
  error.mutable_local()->mutable_unix_domain()->set_path("/x");
  const grpc::Status status =
      DaemonStatus(grpc::StatusCode::ALREADY_EXISTS, "bind: Address already in use (EADDRINUSE)", "EADDRINUSE", error);
  EXPECT_EQ(FormatError(Converted(status)), "bind: Address already in use (EADDRINUSE) /x");
}

TEST(FormatError, CountsWhatWasDoneBefore) {
  v1::SocketError error;
  error.set_operation("send");
  error.set_system_call("sendmsg");
  error.set_socket("sockets/a");
  error.set_state(v1::STATE_DISCONNECTED);
  error.set_origin(v1::ORIGIN_KERNEL);
  error.set_bytes_done(7);
  const grpc::Status status = DaemonStatus(grpc::StatusCode::ABORTED, "send: Broken pipe (EPIPE)", "EPIPE", error);
  EXPECT_EQ(FormatError(Converted(status)),
            "send: Broken pipe (EPIPE)\n"
            "  sockets/a: DISCONNECTED, in sendmsg(2), 7 bytes done before");
}

TEST(FormatError, OfAnUnreachableDaemonIsNoDump) {
  const grpc::Status status(grpc::StatusCode::UNAVAILABLE,
                            "failed to connect to all addresses; last error: UNKNOWN: unix:/x: "
                            "No such file or directory");
  EXPECT_EQ(FormatError(Converted(status)), "cannot reach the daemon at unix:/x: No such file or directory");
  const grpc::Status dump(grpc::StatusCode::UNAVAILABLE, "{\"created\":\"@1\",\"file\": \"x.cc\"}");
  EXPECT_EQ(FormatError(Converted(dump)), "cannot reach the daemon at unix:/x");
  const grpc::Status silent(grpc::StatusCode::UNAVAILABLE,
                            "failed to connect to all addresses; last error: UNAVAILABLE: unix:/x: connection attempt "
                            "timed out before receiving SETTINGS frame");
  EXPECT_EQ(FormatError(Converted(silent)), "the daemon at unix:/x does not answer");
  EXPECT_THAT(FormatError(Converted({grpc::StatusCode::DEADLINE_EXCEEDED, "Deadline Exceeded"})),
              HasSubstr("does not answer"));
}

}  // namespace
}  // namespace socketeer
