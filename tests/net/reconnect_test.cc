// What one connection, or one call, leaves behind for the next.
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <atomic>
#include <string>

#include "tests/net/situations.h"

namespace socketeer::net {
namespace {

using testing::AddressOf;
using testing::Flavour;
using testing::kTcp;
using testing::kUdp;
using testing::Plain;
using testing::PlainTarget;
using testing::Rig;
using testing::TestSocket;
using testing::WaitFor;

SocketAddress AnyLoopback() { return *SocketAddress::Inet("127.0.0.1", 0, ""); }

// A listener whose backlog is full: the next connect to it gets no answer.
struct SilentListener {
  SilentListener() : listener(PlainTarget(kTcp, AnyLoopback(), 0)), first(Plain(kTcp)) {
    const SocketAddress address = AddressOf(listener.get());
    EXPECT_EQ(::connect(first.get(), address.data(), address.size()), 0);
    WaitFor(listener.get(), POLLIN);
  }
  base::Fd listener, first;
};

// A connect(2) that is called again to learn its result must not begin a new attempt when the old one was called off.
TEST(Reconnect, AConnectThatWasCalledOffIsNotBegunAgain) {
  Rig rig;
  const SilentListener silent;
  TestSocket socket = Open(rig, kTcp.kind());
  auto connect = socket.Connect(AddressOf(silent.listener.get()));
  ASSERT_EQ(socket.info().state, State::kConnecting);
  ASSERT_TRUE(socket.Run([](Socket& on_loop) { return on_loop.Disconnect(); }).ok());
  const auto result = connect.Get();
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().reason, "ECONNABORTED");
  EXPECT_EQ(socket.info().state, State::kCreated);
}

// Bytes of the old connection do not show in the new one.
TEST(Reconnect, TakesNothingAlong) {
  Rig rig;
  const base::Fd listener = PlainTarget(kTcp, AnyLoopback());
  TestSocket socket = Open(rig, kTcp.kind());
  ASSERT_TRUE(socket.Connect(AddressOf(listener.get())).Get().ok());
  const base::Fd old_peer(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
  ASSERT_EQ(::send(old_peer.get(), "old", 3, MSG_NOSIGNAL), 3);
  WaitFor(socket.fd(), POLLIN);
  auto receive = socket.Receive(10, Mode::kWhole);
  socket.Cancel(receive.id);  // puts "old" back
  EXPECT_FALSE(receive.Get().ok());
  ASSERT_TRUE(socket.Run([](Socket& on_loop) { return on_loop.Disconnect(); }).ok());
  ASSERT_TRUE(socket.Connect(AddressOf(listener.get())).Get().ok());
  const base::Fd new_peer(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
  ASSERT_EQ(::send(new_peer.get(), "new", 3, MSG_NOSIGNAL), 3);
  const auto received = socket.Receive(10).Get();
  ASSERT_TRUE(received.ok());
  EXPECT_EQ(received->data, "new");
}

TEST(Reconnect, ToARawUnspecifiedAddressDisconnects) {
  Rig rig;
  const base::Fd peer = PlainTarget(kUdp, AnyLoopback());
  TestSocket socket = Open(rig, kUdp.kind());
  ASSERT_TRUE(socket.Connect(AddressOf(peer.get())).Get().ok());
  ASSERT_TRUE(socket.Connect(*SocketAddress::FromRaw(std::string("\0\0", 2))).Get().ok());
  EXPECT_EQ(socket.info().state, State::kCreated);
  EXPECT_TRUE(socket.info().peer.empty());
}

// A byte read for a caller that had just been cancelled (EXAMPLES: 1-6 in 1,000 with a unary receive).
TEST(Cancelled, ReceiveThatIsKnownToBeCancelledTakesNothing) {
  Rig rig;
  const base::Fd listener = PlainTarget(kTcp, AnyLoopback());
  TestSocket socket = Open(rig, kTcp.kind());
  ASSERT_TRUE(socket.Connect(AddressOf(listener.get())).Get().ok());
  const base::Fd peer(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
  ASSERT_EQ(::send(peer.get(), "kept", 4, MSG_NOSIGNAL), 4);
  WaitFor(socket.fd(), POLLIN);
  const std::atomic<bool> cancelled{true};
  std::promise<std::string> reason;
  socket.Run([&](Socket& on_loop) {
    on_loop.Start(std::make_unique<ReceiveOperation>(
        OperationBase{.id = Shard::NextId(), .timeout = {}, .cancelled = &cancelled},
        ReceiveOperation::Want{.max_bytes = 10, .min_bytes = 0, .peek = false},
        [&reason](base::Result<ReceiveResult> result) { reason.set_value(result.ok() ? "" : result.error().reason); }));
  });
  EXPECT_EQ(reason.get_future().get(), "CANCELLED");
  const auto received = socket.Receive(10).Get();
  ASSERT_TRUE(received.ok());
  EXPECT_EQ(received->data, "kept");
}

// What a cancelled call had room for says nothing about the next one's.
TEST(Cancelled, ReceiveOfDatagramsPutsThemBackWhole) {
  Rig rig;
  TestSocket socket = Open(rig, kUdp.kind());
  ASSERT_TRUE(socket.Run([](Socket& on_loop) { return on_loop.Bind(AnyLoopback()); }).ok());
  const base::Fd sender = Plain(kUdp);
  const SocketAddress to = socket.info().local;
  ASSERT_EQ(::sendto(sender.get(), "a long one", 10, 0, to.data(), to.size()), 10);
  WaitFor(socket.fd(), POLLIN);
  auto receive = socket.ReceiveDatagrams(2, Mode::kWhole, false, 4);
  socket.Cancel(receive.id);
  EXPECT_FALSE(receive.Get().ok());
  const auto received = socket.ReceiveDatagrams(1).Get();
  ASSERT_TRUE(received.ok());
  EXPECT_EQ(received->datagrams.at(0).payload, "a long one");
}

}  // namespace
}  // namespace socketeer::net
