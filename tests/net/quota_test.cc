// What the owner's quota does to operations and streams, by a clock that the test moves.
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <string>

#include "tests/net/attach_clients.h"
#include "tests/net/ends.h"
#include "tests/net/slow.h"

namespace socketeer::net {
namespace {

using namespace std::chrono_literals;
using quota::WhenExceeded;
using testing::BytesKeeper;
using testing::Ends;
using testing::ExpectReached;
using testing::kRate;
using testing::Slow;

void ExpectRate(uint64_t moved) { EXPECT_NEAR(static_cast<double>(moved), 10.0 * kRate, 0.05 * 10 * kRate); }

// Takes all that is there; how much it was.
uint64_t Drain(int fd) {
  static char buffer[1 << 20];
  uint64_t got = 0;
  for (ssize_t count = 0; (count = recv(fd, buffer, sizeof(buffer), MSG_DONTWAIT)) > 0;) {
    got += static_cast<uint64_t>(count);
  }
  return got;
}

// Gives as much as there is room for.
void Fill(int fd, size_t piece) {
  const std::string data(piece, 'x');
  while (send(fd, data.data(), data.size(), MSG_DONTWAIT | MSG_NOSIGNAL) > 0) {
  }
}

TEST(QuotaRate, OfSends) {
  Slow slow;
  Ends ends(slow.rig, testing::kTcp, slow.account);
  const std::string data(100'000, 'x');
  auto sending = ends.socket.Send(data, Mode::kWhole);
  ExpectRate(slow.TenSeconds([&] {
    while (sending.done()) sending = ends.socket.Send(data, Mode::kWhole);
    return Drain(ends.peer.get());
  }));
  ends.socket.Cancel(sending.id);
}

TEST(QuotaRate, OfReceives) {
  Slow slow;
  Ends ends(slow.rig, testing::kTcp, slow.account);
  Fill(ends.peer.get(), 65'536);
  auto receiving = ends.socket.Receive(65'536);
  ExpectRate(slow.TenSeconds([&] {
    uint64_t got = 0;
    while (receiving.done()) {
      got += receiving.Get()->data.size();
      Fill(ends.peer.get(), 65'536);
      testing::WaitFor(ends.socket.fd(), POLLIN);
      receiving = ends.socket.Receive(65'536);
    }
    return got;
  }));
  ends.socket.Cancel(receiving.id);
}

TEST(QuotaRate, OfBothDirectionsTogetherAndOfMoreThanOneSocket) {
  Slow slow;
  Ends one(slow.rig, testing::kTcp, slow.account), other(slow.rig, testing::kTcp, slow.account);
  const std::string data(10'000, 'x');
  Fill(other.peer.get(), 65'536);
  auto sending = one.socket.Send(data, Mode::kWhole);
  auto receiving = other.socket.Receive(10'000);
  uint64_t sent = 0, received = 0;
  ExpectRate(slow.TenSeconds([&] {
    uint64_t moved = 0;
    while (sending.done()) sending = one.socket.Send(data, Mode::kWhole);
    moved += Drain(one.peer.get());
    sent += moved;
    while (receiving.done()) {
      const size_t got = receiving.Get()->data.size();
      moved += got;
      received += got;
      Fill(other.peer.get(), 65'536);
      testing::WaitFor(other.socket.fd(), POLLIN);
      receiving = other.socket.Receive(10'000);
    }
    return moved;
  }));
  EXPECT_GT(sent, kRate);  // neither starves the other
  EXPECT_GT(received, kRate);
  one.socket.Cancel(sending.id);
  other.socket.Cancel(receiving.id);
}

TEST(QuotaRate, OfRecords) {
  Slow slow;
  Ends ends(slow.rig, testing::kSeqpacket, slow.account);
  const std::string payload(1'000, 'x');
  const std::vector<OutgoingDatagram> batch(20, {.payload = payload, .destination = {}});
  auto sending = ends.socket.SendDatagrams(batch, Mode::kWhole);
  ExpectRate(slow.TenSeconds([&] {
    while (sending.done()) sending = ends.socket.SendDatagrams(batch, Mode::kWhole);
    return Drain(ends.peer.get());
  }));
  ends.socket.Cancel(sending.id);
}

TEST(QuotaRate, OfDatagramsReceived) {
  Slow slow;
  Ends ends(slow.rig, testing::kUdp, slow.account);
  auto receiving = ends.socket.ReceiveDatagrams(20);
  ExpectRate(slow.TenSeconds([&] {
    uint64_t got = 0;
    for (int i = 0; i < 20; ++i) ends.PeerSends(std::string(1'000, 'x'));
    while (receiving.done()) {
      const auto result = receiving.Get();
      for (const IncomingDatagram& each : result->datagrams) got += each.payload.size();
      receiving = ends.socket.ReceiveDatagrams(20);
    }
    return got;
  }));
  ends.socket.Cancel(receiving.id);
}

// An attached stream acknowledges what it got at once.
class Acknowledging final : public BytesKeeper {
 public:
  void OnReceived(uint64_t offset, base::Chunk bytes) override { given = offset + bytes.size(); }
};

struct Attached {
  explicit Attached(Ends& ends) : ends_(ends) {
    ends.socket.Run([&](Socket& socket) {
      attachment = *socket.Attach({.receive_window = 1 << 20, .send_window = 1 << 20}, client);
      attachment->Begin();
    });
  }
  ~Attached() {
    ends_.socket.Run([&](Socket&) { attachment->Leave(); });
  }
  Ends& ends_;
  std::shared_ptr<Acknowledging> client = std::make_shared<Acknowledging>();
  std::shared_ptr<Attachment> attachment;
};

TEST(QuotaRate, OfWhatAnAttachedStreamReceives) {
  for (const WhenExceeded when : {WhenExceeded::kDelay, WhenExceeded::kRefuse}) {  // a stream always waits
    Slow slow(when);
    Ends ends(slow.rig, testing::kTcp, slow.account);
    const Attached attached(ends);
    uint64_t last = 0;
    ExpectRate(slow.TenSeconds([&] {
      Fill(ends.peer.get(), 65'536);
      return ends.socket.Run([&](Socket&) {
        EXPECT_TRUE(attached.attachment->Acknowledge(attached.client->given).ok());
        return attached.client->given - std::exchange(last, attached.client->given);
      });
    }));
  }
}

TEST(QuotaRate, OfWhatAnAttachedStreamSends) {
  Slow slow;
  Ends ends(slow.rig, testing::kTcp, slow.account);
  const Attached attached(ends);
  uint64_t offset = 0;
  ExpectRate(slow.TenSeconds([&] {
    ends.socket.Run([&](Socket& socket) {
      while (offset + 50'000 <= socket.sent() + (1 << 20)) {
        EXPECT_TRUE(attached.attachment->Send(offset, {base::Chunk::Of(std::string(50'000, 'x'))}).ok());
        offset += 50'000;
      }
    });
    return Drain(ends.peer.get());
  }));
}

TEST(QuotaRate, WhoMustNotWaitIsRefusedAndNothingIsDone) {
  Slow slow;
  Ends ends(slow.rig, testing::kTcp, slow.account);
  ends.Deliver("hello");
  slow.Overdraw();
  ExpectReached(ends.socket.Send("data", Mode::kExact).Get(), "send");
  ExpectReached(ends.socket.Receive(100, Mode::kExact).Get(), "receive");
  ExpectReached(ends.socket.Receive(100, Mode::kExact, {}, true).Get(), "receive");
  EXPECT_EQ(Drain(ends.peer.get()), 0u);
  slow.Pass(101ms);
  EXPECT_EQ(ends.socket.Send("data", Mode::kExact).Get()->bytes_sent, 4u);
  EXPECT_EQ(ends.socket.Receive(100, Mode::kExact, {}, true).Get()->data, "hello");
  EXPECT_EQ(ends.socket.Receive(100, Mode::kExact).Get()->data, "hello");
  EXPECT_EQ(ends.socket.observer().gauges().bytes_received, 5u);  // a look is none
  EXPECT_EQ(ends.socket.observer().gauges().bytes_sent, 4u);
}

// Who waits asks once, and then sleeps: each asking would put off those that come after it.
TEST(QuotaRate, WhoWaitsDoesNotOccupyTheLoop) {
  Slow slow;
  Ends ends(slow.rig, testing::kTcp, slow.account);
  const Attached attached(ends);
  Ends call(slow.rig, testing::kTcp, slow.account);
  slow.Overdraw();
  auto sending = call.socket.Send("data", Mode::kWhole);
  for (int i = 0; i < 200; ++i) slow.rig.Run([] {});
  EXPECT_LT(*slow.account->AskToMove(), 101ms);  // 10 us more for each that asked
  slow.Pass(101ms);
  EXPECT_TRUE(sending.Get().ok());
}

TEST(QuotaRate, OfDatagramsWhoMustNotWaitIsRefused) {
  Slow slow;
  Ends ends(slow.rig, testing::kSeqpacket, slow.account);
  ends.Deliver("hello");
  slow.Overdraw();
  ExpectReached(ends.socket.SendDatagrams({{.payload = "data", .destination = {}}}, Mode::kExact).Get(), "send");
  ExpectReached(ends.socket.ReceiveDatagrams(1, Mode::kExact).Get(), "receive");
  EXPECT_EQ(Drain(ends.peer.get()), 0u);
  slow.Pass(101ms);
  EXPECT_EQ(ends.socket.ReceiveDatagrams(1, Mode::kExact).Get()->datagrams.at(0).payload, "hello");
}

TEST(QuotaRate, WhereItIsRefusedThatIsAtTheBegin) {
  Slow slow(WhenExceeded::kRefuse);
  Ends ends(slow.rig, testing::kTcp, slow.account);
  const std::string data(400'000, 'x');
  auto sending = ends.socket.Send(data, Mode::kWhole);  // let in, it goes to its end
  uint64_t got = 0;
  while (!sending.done()) got += Drain(ends.peer.get());
  EXPECT_EQ(sending.Get()->bytes_sent, data.size());
  ExpectReached(ends.socket.Send("data").Get(), "send");
  ExpectReached(ends.socket.Send("data", Mode::kWhole).Get(), "send");
  ExpectReached(ends.socket.Receive(1).Get(), "receive");
  slow.Pass(151ms);
  EXPECT_TRUE(ends.socket.Send("data").Get().ok());
}

TEST(QuotaRate, WhoWaitsKeepsItsPlaceItsTimeoutAndItsCancellation) {
  Slow slow;
  Ends ends(slow.rig, testing::kTcp, slow.account);
  slow.Overdraw();
  auto first = ends.socket.Send("first ", Mode::kWhole), second = ends.socket.Send("second ", Mode::kWhole),
       third = ends.socket.Send("third", Mode::kWhole, 50ms);
  ends.Deliver("hello");
  auto receive = ends.socket.Receive(100, Mode::kWait, 50ms);
  auto given_up = ends.socket.Receive(100);
  slow.Pass(51ms);
  EXPECT_TRUE(third.Get()->timed_out);
  const auto late = receive.Get();
  EXPECT_TRUE(late->timed_out);
  EXPECT_EQ(late->data, "");
  EXPECT_FALSE(first.done());
  ends.socket.Cancel(given_up.id);
  EXPECT_EQ(given_up.Get().error().reason, "CANCELLED");
  slow.Pass(51ms);
  EXPECT_TRUE(first.Get().ok() && second.Get().ok());
  char text[100] = {};
  EXPECT_EQ(recv(ends.peer.get(), text, sizeof(text), 0), 13);
  EXPECT_STREQ(text, "first second ");
  EXPECT_EQ(ends.socket.Receive(100).Get()->data, "hello");  // it was left with the kernel
}

TEST(QuotaRate, ASocketMayCloseUnderWhoWaits) {
  Slow slow;
  Ends ends(slow.rig, testing::kTcp, slow.account);
  slow.Overdraw();
  auto sending = ends.socket.Send("data", Mode::kWhole);
  ends.socket.Close();
  EXPECT_EQ(sending.Get().error().reason, "SOCKET_CLOSED");
  slow.Pass(1s);
}

// Bytes that are given out again cost what they cost the first time, or a caller could have them without end.
TEST(QuotaRate, WhatIsGivenOutAgainCounts) {
  Slow slow;
  Ends ends(slow.rig, testing::kTcp, slow.account);
  ends.Deliver(std::string(10'000, 'x'));
  const auto get = [&](Mode mode, bool peek = false) { return ends.socket.Receive(10'000, mode, {}, peek, 0).Get(); };
  int times = 0;
  while (get(Mode::kExact, times % 2 == 1).ok() && times < 100) ++times;
  EXPECT_EQ(times, 25);  // of 10,000 each
  // Nor by a timeout that is over at once.
  const auto late = ends.socket.Receive(10'000, Mode::kWait, 0ns, false, 0).Get();
  EXPECT_TRUE(late->timed_out);
  EXPECT_EQ(late->data, "");
  slow.Pass(1s);
  EXPECT_EQ(get(Mode::kExact)->data.size(), 10'000u);
}

TEST(QuotaRate, DatagramsThatAreGivenOutAgainCount) {
  Slow slow;
  Ends ends(slow.rig, testing::kSeqpacket, slow.account);
  ends.Deliver(std::string(50'000, 'x'));
  int times = 0;
  while (times < 100 && ends.socket.ReceiveDatagrams(1, Mode::kExact, times % 2 == 1, 65'536, 0).Get().ok()) ++times;
  EXPECT_EQ(times, 5);
  auto waiting = ends.socket.ReceiveDatagrams(1, Mode::kWait, false, 65'536, 0);
  EXPECT_FALSE(waiting.done());
  slow.Pass(1s);
  EXPECT_EQ(waiting.Get()->datagrams.at(0).payload.size(), 50'000u);
}

TEST(QuotaRate, WhatAStreamIsGivenAgainCounts) {
  Slow slow;
  Ends ends(slow.rig, testing::kTcp, slow.account);
  ends.Deliver(std::string(50'000, 'x'));
  for (int i = 0; i < 10; ++i) {
    auto client = std::make_shared<BytesKeeper>();
    client->given = 50'000;
    std::shared_ptr<Attachment> attachment;
    ends.socket.Run([&](Socket& socket) {
      attachment = *socket.Attach({.receive_offset = 0, .receive_window = 1 << 20, .send_window = 1}, client);
      attachment->Begin();
    });
    for (int turn = 0; turn < 20; ++turn) slow.rig.Run([] {});  // a piece in each, for others' sake
    ends.socket.Run([&](Socket&) {
      EXPECT_EQ(client->received.size(), i < 5 ? 50'000u : 0u) << i;
      attachment->Leave();
    });
  }
}

}  // namespace
}  // namespace socketeer::net
