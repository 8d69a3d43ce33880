// What a socket tells of itself, and what it leaves behind, where the kernel is less than clear.
#include "server/net/socket.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <filesystem>
#include <string>

#include "tests/net/situations.h"

namespace socketeer::net {
namespace {

using testing::AddressOf;
using testing::Flavour;
using testing::kFlavours;
using testing::kSeqpacket;
using testing::kTcp;
using testing::kTcp6;
using testing::kUdp6;
using testing::kUnix;
using testing::Plain;
using testing::PlainTarget;
using testing::Rig;
using testing::Scene;
using testing::TestSocket;

base::Status Bind(TestSocket& socket, const SocketAddress& address) {
  return socket.Run([&](Socket& on_loop) { return on_loop.Bind(address); });
}
base::Status Disconnect(TestSocket& socket) {
  return socket.Run([](Socket& on_loop) { return on_loop.Disconnect(); });
}
SocketAddress Loopback(uint16_t port = 0) { return *SocketAddress::Inet("127.0.0.1", port, ""); }

TEST(Port, OfTheKernelsChoiceGoesWithTheConnection) {
  Rig rig;
  Scene scene(rig, kTcp);
  TestSocket& socket = scene.socket();
  ASSERT_TRUE(socket.Connect(scene.FreshTarget()).Get().ok());
  EXPECT_NE(socket.info().local.port(), 0);
  ASSERT_TRUE(Disconnect(socket).ok());
  EXPECT_EQ(socket.info().state, State::kCreated);
  EXPECT_EQ(socket.info().local.ToString(), "");  // getsockname(2) still tells the port
  EXPECT_EQ(socket.info().peer.ToString(), "");
  EXPECT_TRUE(Bind(socket, Loopback()).ok());
  EXPECT_EQ(socket.info().state, State::kBound);
  EXPECT_EQ(socket.info().local, AddressOf(socket.fd()));
}

TEST(Port, OfTheKernelsChoiceGoesWithTheListener) {
  Rig rig;
  Scene scene(rig, kTcp);
  scene.Bring(Situation::kListening, false);
  TestSocket& socket = scene.socket();
  ASSERT_TRUE(socket.Shutdown(SHUT_RDWR).Get().ok());
  EXPECT_EQ(socket.info().state, State::kCreated);
  EXPECT_EQ(socket.info().local.ToString(), "127.0.0.1:0");  // bind(2) gave the address, and that stays
  EXPECT_TRUE(Bind(socket, Loopback()).ok());
}

TEST(Port, OfTheKernelsChoiceGoesWithAFailedConnect) {
  Rig rig;
  const base::Fd closed = Plain(kTcp);
  const SocketAddress any = Loopback();
  ASSERT_EQ(::bind(closed.get(), any.data(), any.size()), 0);
  for (const bool wait : {true, false}) {
    Scene scene(rig, kTcp);
    TestSocket& socket = scene.socket();
    const auto failed = socket.Connect(AddressOf(closed.get()), wait ? Mode::kWait : Mode::kExact).Get();
    EXPECT_EQ(failed.error().reason, wait ? "ECONNREFUSED" : "EINPROGRESS");
    socket.observer().WaitUntilNot(State::kConnecting);
    EXPECT_EQ(socket.info().state, State::kCreated);
    if (!wait) {
      EXPECT_EQ(socket.info().local.ToString(), "127.0.0.1:0");  // the address stays until the failure is told
      EXPECT_EQ(socket.Connect(AddressOf(closed.get())).Get().error().reason, "ECONNREFUSED");
    }
    EXPECT_EQ(socket.info().local.ToString(), "");
    EXPECT_TRUE(Bind(socket, Loopback()).ok());
  }
}

TEST(Port, OfTheKernelsChoiceStaysWhileNothingEnds) {
  Rig rig;
  Scene scene(rig, kTcp);
  scene.Bring(Situation::kBound, false);
  const SocketAddress local = scene.socket().info().local;
  ASSERT_TRUE(Disconnect(scene.socket()).ok());
  EXPECT_EQ(scene.socket().info().state, State::kBound);
  EXPECT_EQ(scene.socket().info().local, local);
  EXPECT_EQ(Bind(scene.socket(), Loopback()).error().code, base::Code::kFailedPrecondition);
}

TEST(Port, ThatWasAskedForStays) {
  Rig rig;
  Scene scene(rig, kTcp);
  scene.Bring(Situation::kConnected, true);
  const SocketAddress local = scene.socket().info().local;
  ASSERT_TRUE(Disconnect(scene.socket()).ok());
  EXPECT_EQ(scene.socket().info().state, State::kBound);
  EXPECT_EQ(scene.socket().info().local.port(), local.port());
}

TEST(Port, OfAResetConnectionCanBeBoundAgain) {
  Rig rig;
  Scene scene(rig, kTcp);
  scene.Bring(Situation::kDisconnected, false);
  TestSocket& socket = scene.socket();
  ASSERT_TRUE(Bind(socket, Loopback()).ok());
  EXPECT_EQ(socket.info().state, State::kDisconnected);
  ASSERT_TRUE(Disconnect(socket).ok());
  EXPECT_EQ(socket.info().state, State::kBound);
  EXPECT_EQ(Bind(socket, Loopback()).error().reason, "EINVAL") << "it is bound indeed";
}

int InterfaceOf(TestSocket& socket) {
  int index = -1;
  socklen_t size = sizeof(index);
  EXPECT_EQ(::getsockopt(socket.fd(), SOL_SOCKET, SO_BINDTOIFINDEX, &index, &size), 0);
  return index;
}

SocketAddress LinkLocal(uint32_t scope, uint16_t port) {
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_port = htons(port);
  address.sin6_addr.s6_addr[0] = 0xfe;
  address.sin6_addr.s6_addr[1] = 0x80;
  address.sin6_addr.s6_addr[15] = 0x77;
  address.sin6_scope_id = scope;
  return SocketAddress::FromKernel(&address, sizeof(address));
}

TEST(Scope, OfAFailedBindOrConnectLeavesNoTrace) {
  constexpr uint32_t kNoInterface = 999'999;
  constexpr uint32_t kLoopback = 1;
  Rig rig;
  for (const Flavour& flavour : {kTcp6, kUdp6}) {
    TestSocket socket = Open(rig, flavour.kind());
    const base::Status unknown = Bind(socket, LinkLocal(kNoInterface, 0));
    EXPECT_EQ(unknown.error().reason, "ENODEV");
    EXPECT_EQ(unknown.error().code, base::Code::kNotFound);
    EXPECT_EQ(InterfaceOf(socket), 0);
    EXPECT_EQ(Bind(socket, LinkLocal(kLoopback, 0)).error().reason, "EADDRNOTAVAIL");
    EXPECT_EQ(InterfaceOf(socket), 0) << "an unprivileged daemon cannot take it back";
    EXPECT_FALSE(socket.Connect(LinkLocal(kNoInterface, 9)).Get().ok());
    EXPECT_EQ(InterfaceOf(socket), 0) << "an unprivileged daemon cannot take it back";
  }
}

TEST(Scope, IsNotLookedAtWhereTheKernelDoesNot) {
  Rig rig;
  TestSocket socket = Open(rig, kTcp6.kind());
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_addr = in6addr_loopback;
  address.sin6_scope_id = 999'999;
  EXPECT_TRUE(Bind(socket, SocketAddress::FromKernel(&address, sizeof(address))).ok());
}

TEST(V6Only, IsForbiddenOnceThereIsAPort) {
  Rig rig;
  Scene scene(rig, kTcp6);
  const auto set = [&](bool on) {
    return scene.socket().Run([on](Socket& socket) { return socket.SetOptions({{FindOption("v6only"), on}}); });
  };
  EXPECT_TRUE(set(false).ok());
  EXPECT_TRUE(scene.socket().info().kind.dual);
  scene.Bring(Situation::kBound, false);
  const base::Status refused = set(true);
  EXPECT_EQ(refused.error().reason, "EINVAL");
  EXPECT_EQ(refused.error().code, base::Code::kFailedPrecondition);
  EXPECT_EQ(refused.error().state, static_cast<int>(State::kBound));
}

TEST(V6Only, IsKnownEvenWhenALaterOptionFails) {
  Rig rig;
  TestSocket socket = Open(rig, kUdp6.kind());
  const base::Status failed = socket.Run([](Socket& on_loop) {
    return on_loop.SetOptions({{FindOption("v6only"), false}, {FindOption("nodelay"), true}});
  });
  EXPECT_EQ(failed.error().metadata.at("option"), "nodelay");
  EXPECT_TRUE(socket.info().kind.dual);
}

TEST(State, ForbidsWhateverTheErrno) {
  Rig rig;
  Scene inet(rig, kTcp);
  inet.Bring(Situation::kBound, false);
  const base::Status foreign = Bind(inet.socket(), *SocketAddress::Inet("192.0.2.1", 0, ""));
  EXPECT_EQ(foreign.error().reason, "EADDRNOTAVAIL");  // looked at before the socket
  EXPECT_EQ(foreign.error().code, base::Code::kFailedPrecondition);

  Scene connected(rig, kUnix);
  connected.Bring(Situation::kConnected, false);
  const auto nowhere = connected.socket().Connect(connected.FreshAddress()).Get();
  EXPECT_EQ(nowhere.error().reason, "ENOENT");
  EXPECT_EQ(nowhere.error().code, base::Code::kFailedPrecondition);
}

TEST(State, DoesNotTakeTheBlameForAPendingError) {
  Rig rig;
  Scene scene(rig, kTcp);
  scene.Bring(Situation::kConnected, false);
  ASSERT_TRUE(Disconnect(scene.socket()).ok());
  const auto reset = scene.socket().Receive(1, Mode::kExact).Get();
  EXPECT_EQ(reset.error().reason, "ECONNRESET");
  EXPECT_EQ(reset.error().code, base::Code::kAborted);
  const auto forbidden = scene.socket().Receive(1, Mode::kExact).Get();
  EXPECT_EQ(forbidden.error().reason, "ENOTCONN");
  EXPECT_EQ(forbidden.error().code, base::Code::kFailedPrecondition);
}

TEST(State, OfASendThatMeetsTheEndIsNews) {
  Rig rig;
  Scene scene(rig, kTcp);
  scene.Bring(Situation::kPeerClosed, false);
  EXPECT_TRUE(scene.socket().Send("answered by a reset", Mode::kExact).Get().ok());
  testing::WaitFor(scene.socket().fd(), POLLHUP);
  const auto broken = scene.socket().Send("x", Mode::kExact).Get();
  EXPECT_EQ(broken.error().reason, "EPIPE");
  EXPECT_EQ(broken.error().code, base::Code::kAborted);
  EXPECT_EQ(broken.error().state, static_cast<int>(State::kDisconnected));
  const auto forbidden = scene.socket().Send("x", Mode::kExact).Get();
  EXPECT_EQ(forbidden.error().reason, "EPIPE");
  EXPECT_EQ(forbidden.error().code, base::Code::kFailedPrecondition);
}

TEST(Path, IsRemovedByClose) {
  Rig rig;
  for (const Flavour& flavour : kFlavours) {
    if (!flavour.IsUnix() || flavour.abstract_name) continue;
    Scene scene(rig, flavour);
    scene.Bring(Situation::kBound, true);
    const std::string path = scene.socket().info().local.unix_name();
    EXPECT_TRUE(std::filesystem::is_socket(path));
    scene.socket().Close();
    EXPECT_FALSE(std::filesystem::exists(path));
  }
}

TEST(Path, IsLeftAloneWhenItIsNotOursAnyMore) {
  Rig rig;
  Scene scene(rig, kUnix);
  scene.Bring(Situation::kListening, true);
  const SocketAddress address = scene.socket().info().local;
  std::filesystem::remove(address.unix_name());
  const base::Fd another = PlainTarget(kUnix, address);
  scene.socket().Close();
  EXPECT_TRUE(std::filesystem::is_socket(address.unix_name()));
  const base::Fd client = Plain(kUnix);
  EXPECT_EQ(::connect(client.get(), address.data(), address.size()), 0);
}

TEST(Path, IsNotRemovedByAnAcceptedSocket) {
  Rig rig;
  Scene scene(rig, kUnix);
  scene.Bring(Situation::kListening, true);
  const SocketAddress address = scene.socket().info().local;
  const base::Fd client = Plain(kUnix);
  ASSERT_EQ(::connect(client.get(), address.data(), address.size()), 0);
  TestSocket accepted = Adopt(rig, *scene.socket().Accept().Get());
  EXPECT_EQ(accepted.info().local, address);
  accepted.Close();
  EXPECT_TRUE(std::filesystem::is_socket(address.unix_name()));
}

TEST(Seqpacket, TellsAnEmptyRecordFromTheEnd) {
  Rig rig;
  Scene scene(rig, kSeqpacket);
  scene.Bring(Situation::kListening, true);
  const SocketAddress address = scene.socket().info().local;
  base::Fd client = Plain(kSeqpacket);
  ASSERT_EQ(::connect(client.get(), address.data(), address.size()), 0);
  EXPECT_EQ(::send(client.get(), "", 0, 0), 0);  // before the socket was accepted
  TestSocket accepted = Adopt(rig, *scene.socket().Accept().Get());
  EXPECT_EQ(::send(client.get(), "abc", 3, 0), 3);
  EXPECT_EQ(::send(client.get(), "", 0, 0), 0);
  client.reset();

  const auto peeked = accepted.ReceiveDatagrams(1, Mode::kExact, true).Get();
  EXPECT_EQ(peeked->datagrams.size(), 1u);
  EXPECT_FALSE(peeked->end_of_stream);
  const auto all = accepted.ReceiveDatagrams(10, Mode::kWhole).Get();
  ASSERT_EQ(all->datagrams.size(), 3u);
  EXPECT_EQ(all->datagrams[0].payload, "");
  EXPECT_EQ(all->datagrams[1].payload, "abc");
  EXPECT_EQ(all->datagrams[2].payload, "");
  EXPECT_TRUE(all->end_of_stream);
  EXPECT_EQ(accepted.observer().gauges().datagrams_received.load(), 3u);
}

TEST(Seqpacket, StaysUnnamedWhenItSends) {
  Rig rig;
  Scene scene(rig, kSeqpacket);
  scene.Bring(Situation::kConnected, false);
  ASSERT_TRUE(scene.socket().SendDatagrams({{.payload = "x", .destination = {}}}).Get().ok());
  EXPECT_FALSE(scene.socket().Connect(scene.FreshTarget(), Mode::kExact).Get().ok());
  EXPECT_TRUE(AddressOf(scene.socket().fd()).IsUnixUnnamed());
}

TEST(Seqpacket, RefusesADestination) {
  Rig rig;
  Scene scene(rig, kSeqpacket);
  scene.Bring(Situation::kConnected, false);
  const auto refused = scene.socket()
                           .SendDatagrams({{.payload = "sent", .destination = {}},
                                           {.payload = "not", .destination = scene.FreshTarget()}})
                           .Get();
  EXPECT_EQ(refused.error().reason, "INVALID_FIELD");
  EXPECT_EQ(refused.error().metadata.at("field"), "datagrams[1].destination");
  EXPECT_EQ(refused.error().datagrams_done, 1u);
  EXPECT_EQ(refused.error().bytes_done, 4u);
}

TEST(UnixDatagram, LosesAPeerThatWasClosed) {
  Rig rig;
  Scene scene(rig, {"dgram_path", AF_UNIX, SOCK_DGRAM});
  scene.Bring(Situation::kPeerClosed, false);
  EXPECT_FALSE(scene.socket().info().peer.empty());
  const auto refused = scene.socket().SendDatagrams({{.payload = "x", .destination = {}}}).Get();
  EXPECT_EQ(refused.error().reason, "ECONNREFUSED");
  EXPECT_EQ(scene.socket().info().state, State::kCreated);
  EXPECT_TRUE(scene.socket().info().peer.empty());
}

}  // namespace
}  // namespace socketeer::net
