// Each condition that can be awaited: it does not hold before, and is told when it comes true.
#include "server/net/readiness.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cerrno>
#include <future>
#include <string>
#include <vector>

#include "tests/net/ends.h"
#include "tests/net/situations.h"
#include "tests/support/eventually.h"

namespace socketeer::net {
namespace {

using testing::Flavour;
using testing::kTcp;
using testing::kUdp;
using testing::Plain;
using testing::PlainTarget;
using testing::Rig;
using testing::Scene;
using testing::TestSocket;

// One who waits on a socket.
struct Waiting {
  WaiterId id = 0;
  std::future<State> state;  // kUnspecified: the socket was closed before

  bool done() const { return state.wait_for(std::chrono::seconds(0)) == std::future_status::ready; }
};

Waiting Await(TestSocket& socket, Condition condition, uint32_t bytes = 0) {
  auto promise = std::make_shared<std::promise<State>>();
  Waiting waiting{.id = Shard::NextId(), .state = promise->get_future()};
  socket.Run([&](Socket& on_loop) {
    on_loop.AddWaiter({.id = waiting.id,
                       .condition = condition,
                       .readable_bytes = bytes,
                       .done = [promise](const base::Result<const SocketInfo*>& info) {
                         promise->set_value(info.ok() && *info != nullptr ? (*info)->state : State::kUnspecified);
                       }});
  });
  return waiting;
}

// A connected stream socket, and its peer in the test's hands.
struct WatchedPair {
  WatchedPair(Rig& rig, const Flavour& flavour) : scene(rig, flavour), socket(Open(rig, flavour.kind())) {
    const base::Fd listener = PlainTarget(flavour, scene.FreshAddress());
    EXPECT_TRUE(socket.Connect(testing::AddressOf(listener.get())).Get().ok());
    peer.reset(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
  }
  void PeerSends(const std::string& data) {
    EXPECT_EQ(::send(peer.get(), data.data(), data.size(), MSG_NOSIGNAL), static_cast<ssize_t>(data.size()));
  }

  Scene scene;  // only for its addresses
  TestSocket socket;
  base::Fd peer;
};

class ReadinessOfStreams : public ::testing::TestWithParam<Flavour> {};
INSTANTIATE_TEST_SUITE_P(All, ReadinessOfStreams,
                         ::testing::Values(kTcp, Flavour{"unix_path", AF_UNIX, SOCK_STREAM},
                                           Flavour{"seqpacket_path", AF_UNIX, SOCK_SEQPACKET}),
                         [](const auto& each) { return std::string(each.param.name); });

TEST_P(ReadinessOfStreams, Listening) {
  Rig rig;
  Scene scene(rig, GetParam());
  scene.Bring(Situation::kBound, true);
  auto waiting = Await(scene.socket(), Condition::kListening);
  EXPECT_FALSE(waiting.done());
  EXPECT_TRUE(scene.socket().Run([](Socket& socket) { return socket.Listen(1); }).ok());
  EXPECT_EQ(waiting.state.get(), State::kListening);
  EXPECT_EQ(Await(scene.socket(), Condition::kListening).state.get(), State::kListening) << "it holds already";
}

TEST_P(ReadinessOfStreams, Connected) {
  Rig rig;
  Scene scene(rig, GetParam());
  auto waiting = Await(scene.socket(), Condition::kConnected);
  EXPECT_FALSE(waiting.done());
  EXPECT_TRUE(scene.socket().Connect(scene.FreshTarget()).Get().ok());
  EXPECT_EQ(waiting.state.get(), State::kConnected);
}

TEST_P(ReadinessOfStreams, ReadableOfAListener) {
  Rig rig;
  Scene scene(rig, GetParam());
  scene.Bring(Situation::kListening, true);
  auto waiting = Await(scene.socket(), Condition::kReadable);
  EXPECT_FALSE(waiting.done());
  const base::Fd client = Plain(GetParam());
  const SocketAddress address = scene.socket().info().local;
  ASSERT_EQ(::connect(client.get(), address.data(), address.size()), 0);
  EXPECT_EQ(waiting.state.get(), State::kListening);
}

TEST_P(ReadinessOfStreams, Readable) {
  Rig rig;
  WatchedPair pair(rig, GetParam());
  auto waiting = Await(pair.socket, Condition::kReadable);
  EXPECT_FALSE(waiting.done());
  pair.PeerSends("a");
  EXPECT_EQ(waiting.state.get(), State::kConnected);
}

TEST_P(ReadinessOfStreams, WritableAgain) {
  Rig rig;
  WatchedPair pair(rig, GetParam());
  EXPECT_EQ(Await(pair.socket, Condition::kWritable).state.get(), State::kConnected);
  // Fill it up. Seqpacket: by records of 4 KiB; it may stop with room for a smaller one.
  const std::string chunk(4'096, 'x');
  const int fd = pair.socket.fd();
  while (::send(fd, chunk.data(), chunk.size(), MSG_DONTWAIT | MSG_NOSIGNAL) > 0) continue;
  auto waiting = Await(pair.socket, Condition::kWritable);
  std::vector<char> buffer(1 << 20);
  const auto drained_enough = [&] {
    (void)::recv(pair.peer.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    return waiting.done();
  };
  EXPECT_TRUE(::socketeer::testing::Eventually(drained_enough, "how much room is enough is the kernel's affair"));
  EXPECT_EQ(waiting.state.get(), State::kConnected);
}

TEST_P(ReadinessOfStreams, PeerClosed) {
  Rig rig;
  WatchedPair pair(rig, GetParam());
  pair.PeerSends("unread data is no close");
  EXPECT_EQ(Await(pair.socket, Condition::kReadable).state.get(), State::kConnected);
  auto waiting = Await(pair.socket, Condition::kPeerClosed);
  EXPECT_FALSE(waiting.done());
  ::shutdown(pair.peer.get(), SHUT_WR);
  EXPECT_EQ(waiting.state.get(), State::kConnected);
  EXPECT_TRUE(Await(pair.socket, Condition::kPeerClosed).done());
}

TEST_P(ReadinessOfStreams, OurOwnShutdownIsNotThePeersClose) {
  Rig rig;
  WatchedPair pair(rig, GetParam());
  EXPECT_TRUE(pair.socket.Run([](Socket& socket) { return socket.Shutdown(SHUT_RD); }).ok());
  auto waiting = Await(pair.socket, Condition::kPeerClosed);
  EXPECT_FALSE(waiting.done());
  pair.peer.reset();
  EXPECT_EQ(waiting.state.get(), State::kConnected);
}

TEST_P(ReadinessOfStreams, Closed) {
  Rig rig;
  WatchedPair pair(rig, GetParam());
  auto closed = Await(pair.socket, Condition::kClosed);
  auto readable = Await(pair.socket, Condition::kReadable);
  auto removed = Await(pair.socket, Condition::kClosed);
  pair.socket.Run([&](Socket& socket) { socket.RemoveWaiter(removed.id); });
  EXPECT_FALSE(closed.done());
  pair.socket.Close();
  EXPECT_EQ(closed.state.get(), State::kClosed);
  EXPECT_EQ(readable.state.get(), State::kUnspecified) << "it will never be";
  EXPECT_THROW(removed.state.get(), std::future_error) << "nobody waited any more";
}

TEST(Readiness, SoManyBytes) {
  Rig rig;
  WatchedPair pair(rig, kTcp);
  auto five = Await(pair.socket, Condition::kReadable, 5);
  auto any = Await(pair.socket, Condition::kReadable);
  pair.PeerSends("abc");
  any.state.get();
  EXPECT_FALSE(five.done());
  pair.PeerSends("de");
  EXPECT_EQ(five.state.get(), State::kConnected);
}

TEST(Readiness, WhatWasPutBackCountsAsReadable) {
  Rig rig;
  WatchedPair pair(rig, kTcp);
  pair.PeerSends("abc");
  Await(pair.socket, Condition::kReadable, 3).state.get();
  auto whole = pair.socket.Receive(10, Mode::kWhole);
  auto any = Await(pair.socket, Condition::kReadable);
  auto five = Await(pair.socket, Condition::kReadable, 5);
  EXPECT_FALSE(any.done()) << "the receive has it";
  pair.socket.Cancel(whole.id);
  EXPECT_EQ(any.state.get(), State::kConnected);
  EXPECT_FALSE(five.done());
  pair.PeerSends("de");
  five.state.get();
  EXPECT_EQ(pair.socket.Receive(5, Mode::kWhole).Get()->data, "abcde");
}

TEST(Readiness, OfDatagramsTheFirstCounts) {
  Rig rig;
  testing::Ends ends(rig, testing::kUdp);
  ends.Deliver("abc");
  EXPECT_EQ(ends.Records(0)->datagrams.size(), 1u);
  ends.Deliver("a longer one");
  auto five = Await(ends.socket, Condition::kReadable, 5);
  EXPECT_FALSE(five.done()) << "the next receive gets three bytes";
  EXPECT_EQ(ends.Records(1)->datagrams.size(), 1u);
  five.state.get();
}

TEST(Readiness, ALaterAnswerOfAConnect) {
  Rig rig;
  Scene scene(rig, kTcp);
  const SocketAddress target = scene.FreshTarget();
  EXPECT_EQ(scene.socket().Connect(target, Mode::kExact).Get().error().reason, "EINPROGRESS");
  EXPECT_EQ(Await(scene.socket(), Condition::kConnected).state.get(), State::kConnected)
      << "though no call waits for it";
  EXPECT_TRUE(scene.socket().Connect(target, Mode::kExact).Get().ok()) << "told once";
  EXPECT_EQ(scene.socket().Connect(target, Mode::kExact).Get().error().reason, "EISCONN");
}

TEST(Readiness, ADatagramSocketHasNoPeerThatCloses) {
  Rig rig;
  for (const Flavour& flavour : {Flavour{"udp4", AF_INET, SOCK_DGRAM}, Flavour{"dgram_path", AF_UNIX, SOCK_DGRAM}}) {
    Scene scene(rig, flavour);
    scene.Bring(Situation::kConnected, true);
    EXPECT_FALSE(Await(scene.socket(), Condition::kPeerClosed).done());
    EXPECT_TRUE(Await(scene.socket(), Condition::kWritable).done());
  }
}

// No descriptor can be watched any more (epoll_ctl(2): ENOSPC).
class FullEpollSyscalls : public Syscalls {
 public:
  int EpollCtl(int epoll, int op, int fd, epoll_event* event) override {
    if (!full || op != EPOLL_CTL_ADD) return Syscalls::EpollCtl(epoll, op, fd, event);
    errno = ENOSPC;
    return -1;
  }
  std::atomic<bool> full{false};
};

// Once told like a socket that was closed, which a wait that allows missing ones began again, for ever.
TEST(Readiness, WhatCannotBeWatchedIsAnError) {
  FullEpollSyscalls syscalls;
  Rig rig(16, base::SystemClock(), syscalls);
  Scene scene(rig, kUdp);
  syscalls.full = true;
  std::promise<std::string> reason;
  scene.socket().Run([&](Socket& on_loop) {
    on_loop.AddWaiter({.id = 1, .done = [&](const base::Result<const SocketInfo*>& info) {
                         reason.set_value(info.ok() ? "no error" : info.error().reason);
                       }});
  });
  EXPECT_EQ(reason.get_future().get(), "ENOSPC");
  syscalls.full = false;
  EXPECT_EQ(Await(scene.socket(), Condition::kWritable).state.get(), State::kCreated);
}

}  // namespace
}  // namespace socketeer::net
