#include "server/rpc/status.h"

#include <gtest/gtest.h>

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "server/base/limits.h"
#include "server/net/address.h"
#include "socketeer/v1/error.pb.h"

namespace socketeer::rpc {
namespace {

struct Parts {
  google::rpc::Status status;
  google::rpc::ErrorInfo info;
  v1::SocketError error;
};

Parts Take(const grpc::Status& status) {
  Parts parts;
  EXPECT_TRUE(parts.status.ParseFromString(status.error_details()));
  EXPECT_EQ(parts.status.details_size(), 2);
  EXPECT_TRUE(parts.status.details(0).UnpackTo(&parts.info));
  EXPECT_TRUE(parts.status.details(1).UnpackTo(&parts.error));
  EXPECT_EQ(parts.status.code(), status.error_code());
  EXPECT_EQ(parts.status.message(), status.error_message());
  EXPECT_EQ(parts.info.domain(), "socketeer");
  EXPECT_LE(status.error_details().size(), base::kMaxErrorBytes);
  return parts;
}

TEST(Status, CarriesEverything) {
  base::Error error;
  error.code = base::Code::kAborted;
  error.origin = base::Origin::kKernel;
  error.reason = "ECONNRESET";
  error.message = "receive: Connection reset by peer (ECONNRESET)";
  error.metadata = {{"option", "nodelay"}};
  error.operation = "receive";
  error.system_call = "recvmsg";
  error.errno_number = 104;
  error.socket = "sockets/web";
  error.state = v1::STATE_DISCONNECTED;
  error.local = net::SocketAddress::Inet("127.0.0.1", 1, "")->bytes();
  error.peer = net::SocketAddress::UnixPath("/run/x")->bytes();
  error.bytes_done = 5'000'000'000;
  error.datagrams_done = 7;
  const grpc::Status status = ToGrpcStatus(error);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::ABORTED);
  const Parts parts = Take(status);
  EXPECT_EQ(parts.info.reason(), "ECONNRESET");
  EXPECT_EQ(parts.info.metadata().at("option"), "nodelay");
  EXPECT_EQ(
      parts.error.ShortDebugString(),
      "operation: \"receive\" socket: \"sockets/web\" state: STATE_DISCONNECTED errno_number: 104 "
      "errno_name: \"ECONNRESET\" origin: ORIGIN_KERNEL local { inet { ip: \"127.0.0.1\" port: 1 } } "
      "peer { unix_domain { path: \"/run/x\" } } bytes_done: 5000000000 datagrams_done: 7 system_call: \"recvmsg\"");
}

// gRPC's own bound for all trailers is 8 KiB: an error that is larger would be lost as a whole.
TEST(Status, StaysBelowItsBound) {
  base::Error error =
      base::InvalidField(std::string(5'000, 'f'), std::string(1 << 20, '\xff'), std::string(5'000, 'a'));
  for (int i = 0; i < 50; ++i) error.metadata["key" + std::to_string(i)] = std::string(1'000, 'v');
  error.operation = "bind";
  error.socket = "sockets/" + std::string(63, 's');
  error.local = net::SocketAddress::UnixPath(std::string(108, 'p'))->bytes();
  error.peer = net::SocketAddress::FromRaw(std::string(128, '\xfe'))->bytes();
  const Parts parts = Take(ToGrpcStatus(error));
  EXPECT_EQ(parts.info.reason(), "INVALID_FIELD");
  EXPECT_EQ(parts.error.socket(), error.socket);
  EXPECT_TRUE(parts.info.metadata().empty()) << "metadata gives way first";
}

TEST(Status, CodesAndOriginsAreTheWires) {
  for (const base::Error& error :
       {base::InvalidField("f", "g", "a"), base::UnknownField("f"), base::WrongKind("o", "k", "u"),
        base::WrongState("o", "w"), base::CallWaiting("o"), base::SocketNotFound("x"), base::SocketGone("x"),
        base::SocketClosedWhileWaiting(), base::SocketExists("x"), base::UidMismatch("x", "u"),
        base::LimitReached("max_calls", 1), base::NameNotResolved("h", "r", false),
        base::NameNotResolved("h", "r", true), base::UnknownCaller(), base::TokenInPlainText(), base::Draining(),
        base::Cancelled()}) {
    const grpc::Status status = ToGrpcStatus(error);
    const Parts parts = Take(status);
    EXPECT_EQ(static_cast<int>(status.error_code()), static_cast<int>(error.code));
    EXPECT_EQ(parts.info.reason(), error.reason);
    EXPECT_TRUE(v1::Origin_IsValid(static_cast<int>(error.origin)));
    EXPECT_NE(parts.error.origin(), v1::ORIGIN_KERNEL);
    EXPECT_EQ(parts.error.errno_number(), 0);
    EXPECT_FALSE(status.error_message().empty());
  }
}

// What callers gave may be anything; the wire's strings must be UTF-8, or the client cannot read the error.
TEST(Status, BytesThatAreNoTextDoNoHarm) {
  const std::string garbage("\xff\xfe\0\x80", 4);
  for (const base::Error& error : {base::InvalidField("path", garbage, "a path"), base::SocketNotFound(garbage),
                                   base::UidMismatch(garbage, garbage), base::NameNotResolved(garbage, "no", false),
                                   base::InvalidField(garbage, garbage, "x"), base::SocketExists(garbage)}) {
    const grpc::Status status = ToGrpcStatus(error);
    Take(status);
    for (const char c : status.error_message()) EXPECT_TRUE(c >= ' ' && c <= '~') << status.error_message();
  }
}

}  // namespace
}  // namespace socketeer::rpc
