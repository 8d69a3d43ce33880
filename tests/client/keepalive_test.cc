// A daemon that goes out of reach and closes nothing, as a host does that loses its power.
#include <chrono>
#include <string>

#include "client/lib/channel.h"
#include "gtest/gtest.h"
#include "socketeer/host.h"
#include "socketeer/stream.h"
#include "socketeer/stubs.h"
#include "tests/support/cutting_proxy.h"
#include "tests/support/test_server.h"

namespace socketeer {
namespace {

constexpr CallOptions kWithinAMinute{.timeout = absl::Minutes(1)};

TEST(KeepaliveTest, AStreamGetsBackFromAConnectionThatFellSilent) {
  testing::TestServer server({.loops = 2});
  testing::CuttingProxy proxy(server.dir().File("proxy"), server.dir().File("daemon"));
  const Host direct = Host::Connect(server.server().addresses()[0]).value();
  v1::OpenSocketRequest request;
  request.set_type(v1::SOCKET_TYPE_STREAM);
  request.mutable_bind()->mutable_inet()->set_ip("127.0.0.1");
  request.mutable_listen();
  const RemoteSocket listener = direct.Open(request).value();
  v1::OpenSocketRequest connect;
  connect.set_type(v1::SOCKET_TYPE_STREAM);
  *connect.mutable_connect() = listener.local();
  const RemoteSocket near = direct.Open(connect).value();
  const RemoteSocket far = listener.Accept().value();

  const auto target = internal::ParseTarget("unix:" + server.dir().File("proxy"));
  const auto channel = internal::MakeChannel(
      *target, {.after = std::chrono::milliseconds(200), .timeout = std::chrono::milliseconds(200)});
  Stubs stubs;
  stubs.sockets = v1::SocketService::NewStub(channel);
  stubs.channel = channel;
  const Host silenced(stubs, target->endpoint);
  Stream stream = silenced.Handle(near.name()).Attach().value();
  Stream peer = far.Attach().value();
  EXPECT_TRUE(peer.Send("before").ok());
  EXPECT_EQ(stream.Receive(0, kWithinAMinute).value(), "before");
  proxy.FallSilent();
  EXPECT_TRUE(peer.Send("behind").ok());
  const absl::StatusOr<absl::Cord> got = stream.Receive(0, kWithinAMinute);
  ASSERT_TRUE(got.ok()) << got.status();
  EXPECT_EQ(*got, "behind");
}

}  // namespace
}  // namespace socketeer
