// What waits on a socket: in which order it ends, and how.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

#include <cerrno>
#include <string>
#include <thread>
#include <vector>

#include "tests/net/situations.h"
#include "tests/support/manual_clock.h"

namespace socketeer::net {
namespace {

using testing::Flavour;
using testing::kTcp;
using testing::Pending;
using testing::Plain;
using testing::PlainTarget;
using testing::Rig;
using testing::TestSocket;
using testing::WaitFor;
using namespace std::chrono_literals;

// A connected TCP socket on the shard, and its peer in the test's hands.
struct Pair {
  explicit Pair(Rig& rig) : socket(Open(rig, kTcp.kind())) {
    const base::Fd listener = PlainTarget(kTcp, *SocketAddress::Inet("127.0.0.1", 0, ""));
    EXPECT_TRUE(socket.Connect(testing::AddressOf(listener.get())).Get().ok());
    peer.reset(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
  }
  void PeerSends(const std::string& data) {
    EXPECT_EQ(::send(peer.get(), data.data(), data.size(), MSG_NOSIGNAL), static_cast<ssize_t>(data.size()));
  }
  // The same, and waits until it is there.
  void Deliver(const std::string& data) {
    PeerSends(data);
    WaitFor(socket.fd(), POLLIN);
  }
  void PeerResets() {
    const linger reset{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(peer.get(), SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
    peer.reset();
    WaitFor(socket.fd(), POLLHUP);
  }
  int waiting_reads() { return static_cast<int>(socket.observer().gauges().waiting_reads.load()); }

  TestSocket socket;
  base::Fd peer;
};

TEST(SocketQueue, IsFirstComeFirstServed) {
  Rig rig;
  Pair pair(rig);
  std::vector<Pending<ReceiveResult>> waiting;
  for (int i = 0; i < 40; ++i) waiting.push_back(pair.socket.Receive(1));  // more than one turn of the loop serves
  EXPECT_EQ(pair.waiting_reads(), 40);
  std::string sent;
  for (int i = 0; i < 40; ++i) sent += static_cast<char>('0' + i);
  pair.PeerSends(sent);
  std::string received;
  for (auto& each : waiting) received += each.Get()->data;
  EXPECT_EQ(received, sent);
  EXPECT_EQ(pair.waiting_reads(), 0);
}

TEST(SocketQueue, RefusesTheOneBeyondTheLimitAndCloseEndsTheRest) {
  constexpr size_t kLimit = 1'024;
  Rig rig(kLimit);
  Pair pair(rig);
  std::vector<Pending<ReceiveResult>> waiting;
  for (size_t i = 0; i < kLimit; ++i) waiting.push_back(pair.socket.Receive(1));
  const auto refused = pair.socket.Receive(1).Get();
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().reason, "LIMIT_REACHED");
  EXPECT_EQ(refused.error().code, base::Code::kResourceExhausted);
  EXPECT_EQ(refused.error().operation, "receive");
  EXPECT_EQ(pair.waiting_reads(), static_cast<int>(kLimit));

  pair.socket.Close();
  for (auto& each : waiting) {
    const auto ended = each.Get();
    ASSERT_FALSE(ended.ok());
    EXPECT_EQ(ended.error().reason, "SOCKET_CLOSED");
    EXPECT_EQ(ended.error().code, base::Code::kAborted);
  }
}

TEST(SocketQueue, CloseEndsBothSidesAndSaysWhy) {
  Rig rig;
  Pair pair(rig);
  auto receive = pair.socket.Receive(1);
  const std::string much(64 << 20, 'x');
  auto send = pair.socket.Send(much, Mode::kWhole);
  pair.socket.Close(base::Draining());
  EXPECT_EQ(receive.Get().error().reason, "DRAINING");
  const auto sent = send.Get();
  EXPECT_EQ(sent.error().reason, "DRAINING");
  EXPECT_EQ(sent.error().operation, "send");
  EXPECT_GT(sent.error().bytes_done, 0u);
  EXPECT_LT(sent.error().bytes_done, much.size());
}

TEST(SocketQueue, CancelInTheMiddleLeavesTheOthers) {
  Rig rig;
  Pair pair(rig);
  auto first = pair.socket.Receive(1);
  auto second = pair.socket.Receive(1);
  auto third = pair.socket.Receive(1);
  pair.socket.Cancel(second.id);
  EXPECT_EQ(second.Get().error().reason, "CANCELLED");
  pair.socket.Cancel(second.id);  // it is gone: no effect
  EXPECT_FALSE(first.done());
  pair.PeerSends("ab");
  EXPECT_EQ(first.Get()->data, "a");
  EXPECT_EQ(third.Get()->data, "b");
}

TEST(SocketQueue, CancellingTheFirstLetsTheNextTakeWhatItLeft) {
  Rig rig;
  Pair pair(rig);
  pair.Deliver("abc");
  auto whole = pair.socket.Receive(10, Mode::kWhole);  // has taken "abc", and waits for more
  auto next = pair.socket.Receive(2);
  EXPECT_FALSE(next.done());
  pair.socket.Cancel(whole.id);
  EXPECT_EQ(whole.Get().error().reason, "CANCELLED");
  EXPECT_EQ(next.Get()->data, "ab");
  EXPECT_EQ(pair.socket.observer().gauges().bytes_received.load(), 3u) << "what came from the kernel";
  EXPECT_EQ(pair.socket.observer().gauges().retained_bytes.load(), 1u);
  EXPECT_EQ(pair.socket.Receive(10).Get()->data, "c");
}

TEST(SocketQueue, CancelledReceivesPutTheirBytesBackInOrder) {
  Rig rig;
  Pair pair(rig);
  pair.Deliver("abc");
  auto first = pair.socket.Receive(10, Mode::kWhole);
  pair.socket.Cancel(first.id);
  pair.Deliver("def");
  auto second = pair.socket.Receive(10, Mode::kWhole);  // "abc" from what was put back, "def" from the kernel
  pair.socket.Cancel(second.id);
  EXPECT_EQ(pair.socket.observer().gauges().bytes_received.load(), 6u);
  EXPECT_EQ(pair.socket.observer().gauges().retained_bytes.load(), 6u);
  const auto peeked = pair.socket.Receive(10, Mode::kExact, {}, true).Get();
  EXPECT_EQ(peeked->data, "abcdef");
  EXPECT_EQ(pair.socket.Receive(6, Mode::kWhole).Get()->data, "abcdef");
  EXPECT_EQ(pair.socket.Receive(1, Mode::kExact).Get().error().reason, "EAGAIN");
}

TEST(SocketQueue, ACancelledSendTellsHowMuchWentOut) {
  Rig rig;
  Pair pair(rig);
  const std::string much(64 << 20, 'x');
  auto send = pair.socket.Send(much, Mode::kWhole);
  pair.socket.Cancel(send.id);
  const auto cancelled = send.Get();
  EXPECT_EQ(cancelled.error().reason, "CANCELLED");
  pair.socket.Close();
  uint64_t arrived = 0;
  std::vector<char> buffer(1 << 20);
  for (ssize_t got = 1; got > 0; arrived += static_cast<uint64_t>(std::max<ssize_t>(got, 0))) {
    got = ::recv(pair.peer.get(), buffer.data(), buffer.size(), 0);
  }
  EXPECT_EQ(arrived, cancelled.error().bytes_done);
}

TEST(SocketQueue, ATimeoutGivesWhatIsThereSoFar) {
  ::socketeer::testing::ManualClock clock;
  Rig rig(16, clock);
  Pair pair(rig);
  pair.Deliver("abc");
  auto whole = pair.socket.Receive(10, Mode::kWhole, 5s);
  auto behind = pair.socket.Receive(1, Mode::kWait, 7s);
  clock.Advance(5s - 1ns);
  rig.Run([] {});  // timers run before tasks
  EXPECT_FALSE(whole.done());
  clock.Advance(1ns);
  rig.Run([] {});
  ASSERT_TRUE(whole.done());
  const auto got = whole.Get();
  EXPECT_TRUE(got->timed_out);
  EXPECT_EQ(got->data, "abc");
  EXPECT_FALSE(behind.done());
  clock.Advance(2s);
  rig.Run([] {});
  const auto nothing = behind.Get();
  EXPECT_TRUE(nothing->timed_out);
  EXPECT_EQ(nothing->data, "");
}

TEST(SocketQueue, ATimeoutOfZeroTriesOnce) {
  Rig rig;
  Pair pair(rig);
  EXPECT_TRUE(pair.socket.Receive(1, Mode::kWait, 0s).Get()->timed_out);
  pair.Deliver("a");
  EXPECT_EQ(pair.socket.Receive(1, Mode::kWait, 0s).Get()->data, "a");
}

TEST(SocketQueue, ExactIsRefusedWhileOthersWait) {
  Rig rig;
  Pair pair(rig);
  pair.Deliver("abc");
  auto whole = pair.socket.Receive(6, Mode::kWhole);
  const auto refused = pair.socket.Receive(1, Mode::kExact).Get();
  EXPECT_EQ(refused.error().reason, "CALL_WAITING");
  EXPECT_EQ(refused.error().code, base::Code::kFailedPrecondition);
  EXPECT_TRUE(pair.socket.Send("x", Mode::kExact).Get().ok());  // the other direction is free
  pair.PeerSends("def");
  EXPECT_EQ(whole.Get()->data, "abcdef");
}

TEST(SocketQueue, ShutdownDoesNotOvertakeSends) {
  Rig rig;
  Pair pair(rig);
  EXPECT_TRUE(pair.socket.Run([](Socket& socket) { return socket.SetOptions({{FindOption("sndbuf"), 4'096}}); }).ok());
  std::string data(3 << 20, ' ');
  for (size_t i = 0; i < data.size(); ++i) data[i] = static_cast<char>(i * 2'654'435'761u >> 24);
  auto first = pair.socket.Send(std::string_view(data).substr(0, 2 << 20), Mode::kWhole);
  auto second = pair.socket.Send(std::string_view(data).substr(2 << 20), Mode::kWhole);
  auto shutdown = pair.socket.Shutdown(SHUT_WR);
  EXPECT_FALSE(shutdown.done());
  EXPECT_FALSE(pair.socket.info().write_shutdown);
  std::string arrived;
  std::vector<char> buffer(64 << 10);
  while (true) {
    const ssize_t got = ::recv(pair.peer.get(), buffer.data(), buffer.size(), 0);
    if (got <= 0) break;
    arrived.append(buffer.data(), static_cast<size_t>(got));
  }
  EXPECT_TRUE(arrived == data) << arrived.size() << " bytes";
  EXPECT_EQ(first.Get()->bytes_sent, 2u << 20);
  EXPECT_EQ(second.Get()->bytes_sent, 1u << 20);
  EXPECT_TRUE(shutdown.Get().ok());
  EXPECT_TRUE(pair.socket.info().write_shutdown);
}

TEST(SocketQueue, AnErrorBehindDataIsToldByTheNextCall) {
  Rig rig;
  Pair pair(rig);
  pair.Deliver("abc");
  pair.PeerResets();
  const auto data = pair.socket.Receive(10, Mode::kWhole).Get();
  ASSERT_TRUE(data.ok());
  EXPECT_EQ(data->data, "abc");
  EXPECT_FALSE(data->end_of_stream);
  EXPECT_EQ(pair.socket.info().state, State::kDisconnected);
  const auto error = pair.socket.Receive(10).Get();
  ASSERT_FALSE(error.ok());
  EXPECT_EQ(error.error().reason, "ECONNRESET");
  EXPECT_EQ(error.error().code, base::Code::kAborted);
  EXPECT_FALSE(error.error().peer.empty());
  EXPECT_TRUE(pair.socket.Receive(10).Get()->end_of_stream);
}

TEST(SocketQueue, CloseWithUndeliveredDataResetsThePeer) {
  Rig rig;
  Pair pair(rig);
  pair.Deliver("abc");
  auto whole = pair.socket.Receive(10, Mode::kWhole);
  pair.socket.Cancel(whole.id);  // the kernel has nothing unread any more; we have
  pair.socket.Close();
  char byte;
  EXPECT_EQ(::recv(pair.peer.get(), &byte, 1, 0), -1);
  EXPECT_EQ(errno, ECONNRESET);
}

TEST(SocketQueue, CloseAfterEverythingWasDeliveredEndsTheStream) {
  Rig rig;
  Pair pair(rig);
  pair.Deliver("abc");
  EXPECT_EQ(pair.socket.Receive(10).Get()->data, "abc");
  pair.socket.Close();
  char byte;
  EXPECT_EQ(::recv(pair.peer.get(), &byte, 1, 0), 0);
}

// A receive that waits must not take the connect's error away from the connect that waits.
TEST(SocketQueue, AFailedConnectIsToldByTheConnect) {
  Rig rig;
  const base::Fd closed = Plain(kTcp);
  const SocketAddress any = *SocketAddress::Inet("127.0.0.1", 0, "");
  ASSERT_EQ(::bind(closed.get(), any.data(), any.size()), 0);
  for (int i = 0; i < 20; ++i) {
    TestSocket socket = Open(rig, kTcp.kind());
    // Both are queued before the loop can see the refusal.
    auto connected = std::make_shared<std::promise<std::string>>();
    auto received = std::make_shared<std::promise<std::string>>();
    socket.Run([&](Socket& on_loop) {
      on_loop.Start(std::make_unique<ConnectOperation>(
          OperationBase{.id = Shard::NextId(), .timeout = {}}, testing::AddressOf(closed.get()),
          [connected](base::Result<ConnectResult> result) { connected->set_value(result.error().reason); }));
      on_loop.Start(std::make_unique<ReceiveOperation>(
          OperationBase{.id = Shard::NextId(), .timeout = {}},
          ReceiveOperation::Want{.max_bytes = 1, .min_bytes = 0, .peek = false},
          [received](base::Result<ReceiveResult> result) { received->set_value(result.error().reason); }));
    });
    EXPECT_EQ(connected->get_future().get(), "ECONNREFUSED");
    EXPECT_EQ(received->get_future().get(), "ENOTCONN");
    EXPECT_EQ(socket.info().state, State::kCreated);
  }
}

}  // namespace
}  // namespace socketeer::net
