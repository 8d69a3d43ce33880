// Datagrams and connections that are named by their number.
#include <gtest/gtest.h>

#include <cerrno>
#include <string>
#include <vector>

#include "server/base/limits.h"
#include "tests/net/ends.h"

namespace socketeer::net {
namespace {

using testing::AddressOf;
using testing::Ends;
using testing::ExpectOutOfRange;
using testing::Flavour;
using testing::kSeqpacket;
using testing::kTcp;
using testing::kUdp;
using testing::kUnix;
using testing::Plain;
using testing::PlainTarget;
using testing::Rig;
using testing::TestSocket;
using testing::WaitFor;

// --- Datagrams and records. ---

class OffsetRecords : public ::testing::TestWithParam<Flavour> {
 protected:
  Rig rig_;
  Ends ends_{rig_, GetParam()};
};
INSTANTIATE_TEST_SUITE_P(Kinds, OffsetRecords, ::testing::Values(kUdp, testing::kDgram, kSeqpacket),
                         [](const auto& each) { return std::string(each.param.name); });

std::string Joined(const base::Result<ReceiveDatagramsResult>& result) {
  if (!result.ok()) return result.error().reason;
  std::string all;
  for (const IncomingDatagram& each : result->datagrams)
    all += each.payload + "/" + std::to_string(each.true_size) + " ";
  return all;
}

TEST_P(OffsetRecords, RepeatUntilTheNextOneAcknowledges) {
  for (const std::string data : {"one", "", "three", "four"}) ends_.Deliver(data);
  for (int i = 0; i < 2; ++i) {
    const auto got = ends_.Records(0, 3, 4);
    EXPECT_EQ(Joined(got), "one/3 /0 thre/5 ");
    EXPECT_EQ(got->replayed, i > 0);
    EXPECT_EQ(got->sequence, 0u);
    EXPECT_EQ(ends_.kept(), 7u) << "as it was given out";
    EXPECT_EQ(rig_.retained().used(), 7 + 3 * base::kDatagramOverhead);
  }
  EXPECT_EQ(Joined(ends_.Records(2)), "thre/5 ") << "one answer out of what is kept";
  ExpectOutOfRange(ends_.Records(1), "sequence", 2, 3);
  ExpectOutOfRange(ends_.Records(4), "sequence", 2, 3);
  EXPECT_EQ(Joined(ends_.Records(3)), "four/4 ");
  EXPECT_EQ(Joined(ends_.Records(4)), "EAGAIN");
  EXPECT_EQ(rig_.retained().used(), 0u);
  EXPECT_EQ(ends_.socket.observer().gauges().datagrams_received.load(), 4u);
}

TEST_P(OffsetRecords, OneThatGetsNothingAcknowledgesNothing) {
  ends_.Deliver("a");
  EXPECT_EQ(ends_.Records(0)->datagrams.size(), 1u);
  EXPECT_EQ(Joined(ends_.Records({})), "EAGAIN");
  const ReceiveDatagramsOperation::Want one{.max_datagrams = 1, .max_bytes = 1};
  auto waited =
      ends_.socket.Start<ReceiveDatagramsOperation, ReceiveDatagramsResult>(Mode::kWait, std::chrono::seconds(0), one);
  EXPECT_TRUE(waited.Get()->timed_out);
  EXPECT_EQ(ends_.Records(0)->datagrams.size(), 1u);
}

TEST_P(OffsetRecords, ACancelledCallsStayWhole) {
  ends_.Deliver("a long one");
  auto whole = ends_.socket.ReceiveDatagrams(2, Mode::kWhole, false, 4, 0);
  ends_.socket.Cancel(whole.id);
  EXPECT_FALSE(whole.Get().ok());
  ends_.Deliver("next");
  EXPECT_EQ(Joined(ends_.Records(0, 1, 100, true)), "a long one/10 ");
  EXPECT_EQ(Joined(ends_.Records(0)), "a long one/10 ");
  EXPECT_EQ(Joined(ends_.Records(0, 1, 3)), "a l/10 ");
  EXPECT_EQ(Joined(ends_.Records(std::nullopt)), "next/4 ");
  ExpectOutOfRange(ends_.Records(0), "sequence", 2, 2);
}

TEST_P(OffsetRecords, TheBoundIsToldAndTheKernelNotRead) {
  Rig rig(16, base::SystemClock(), KernelSyscalls(), 1'000, 600);
  Ends ends(rig, GetParam());
  for (int i = 0; i < 4; ++i) ends.Deliver(std::string(40, 'x'));
  EXPECT_EQ(ends.Records(0)->datagrams.size(), 2u) << "as many as may be kept";
  EXPECT_EQ(rig.retained().used(), 2 * (40 + base::kDatagramOverhead));
  EXPECT_EQ(ends.Records(1)->datagrams.size(), 1u);
  auto whole = ends.socket.ReceiveDatagrams(3, Mode::kWhole, false, 100, 1).Get();
  EXPECT_EQ(whole.error().reason, "LIMIT_REACHED");
  EXPECT_EQ(ends.Records(1)->datagrams.size(), 2u) << "what it took stays";
  EXPECT_EQ(ends.Records(3)->datagrams.size(), 1u);
  ends.Deliver(std::string(500, 'y'));
  EXPECT_EQ(ends.Records(4).error().reason, "LIMIT_REACHED") << "there is one, too large to be kept";
  EXPECT_EQ(Joined(ends.Records(std::nullopt, 10, 2)), "yy/500 ") << "who keeps nothing gets it";
  EXPECT_EQ(Joined(ends.Records(5)), "EAGAIN");
  EXPECT_EQ(rig.retained().used(), 0u);
}

TEST_P(OffsetRecords, SendSkipsWhatWasAccepted) {
  SocketAddress to;
  base::Fd target;
  if (GetParam().type == SOCK_DGRAM) {
    target = PlainTarget(GetParam(), GetParam().IsUnix() ? *SocketAddress::UnixPath(ends_.dir.File("to"))
                                                         : *SocketAddress::Inet("127.0.0.1", 0, ""));
    to = AddressOf(target.get());
  }
  const int arrives = target.get() >= 0 ? target.get() : ends_.peer.get();
  const auto send = [&](std::vector<std::string_view> payloads, uint64_t sequence) {
    std::vector<OutgoingDatagram> datagrams;
    for (const auto payload : payloads) datagrams.push_back({.payload = payload, .destination = to});
    return ends_.socket.SendDatagrams(std::move(datagrams), Mode::kWhole, sequence).Get();
  };
  EXPECT_EQ(send({"a", "bb"}, 0)->next_sequence, 2u);
  const auto more = send({"bb", "ccc"}, 1);
  EXPECT_EQ(more->datagrams_sent, 2u);
  EXPECT_EQ(more->datagrams_skipped, 1u);
  EXPECT_EQ(more->next_sequence, 3u);
  ExpectOutOfRange(send({"x"}, 4), "sequence", 0, 3);
  EXPECT_EQ(send({"a", "bb", "ccc"}, 0)->datagrams_skipped, 3u);
  char buffer[16];
  for (const ssize_t size : {1, 2, 3}) EXPECT_EQ(::recv(arrives, buffer, sizeof(buffer), MSG_DONTWAIT), size);
  EXPECT_EQ(::recv(arrives, buffer, sizeof(buffer), MSG_DONTWAIT), -1);
}

// --- Connections. ---

class OffsetAccept : public ::testing::TestWithParam<Flavour> {
 protected:
  OffsetAccept() : socket_(Open(rig_, GetParam().kind())) {
    at_ = GetParam().IsUnix() ? *SocketAddress::UnixPath(dir_.File("l")) : *SocketAddress::Inet("127.0.0.1", 0, "");
    EXPECT_TRUE(socket_.Run([&](Socket& on_loop) { return on_loop.Bind(at_); }).ok());
    Listen();
  }
  void Listen() {
    EXPECT_TRUE(socket_.Run([](Socket& on_loop) { return on_loop.Listen(16); }).ok());
    at_ = socket_.info().local;
  }
  base::Fd Client() {
    base::Fd client = Plain(GetParam());
    EXPECT_EQ(::connect(client.get(), at_.data(), at_.size()), 0);
    WaitFor(socket_.fd(), POLLIN);
    return client;
  }
  // Names its number, and what it would become; null: there is no room for it.
  base::Result<AcceptResult> Accept(uint64_t sequence, std::shared_ptr<SocketObserver> becomes) {
    const auto reserve = [becomes]() -> base::Result<std::shared_ptr<SocketObserver>> {
      if (!becomes) return base::SocketExists("taken");
      return becomes;
    };
    return socket_.Accept(Mode::kExact, {.sequence = sequence, .reserve = reserve}).Get();
  }

  ::socketeer::testing::TempDir dir_;
  Rig rig_;
  TestSocket socket_;
  SocketAddress at_;
};
INSTANTIATE_TEST_SUITE_P(Kinds, OffsetAccept, ::testing::Values(kTcp, kUnix, kSeqpacket),
                         [](const auto& each) { return std::string(each.param.name); });

TEST_P(OffsetAccept, RepeatsTheLastOne) {
  const base::Fd first = Client(), second = Client(), third = Client();
  const auto a = std::make_shared<testing::Observer>(), b = std::make_shared<testing::Observer>();
  auto got = Accept(0, a);
  ASSERT_TRUE(got.ok());
  EXPECT_GE(got->fd, 0);
  EXPECT_EQ(got->became, a);
  EXPECT_FALSE(got->replayed);
  const base::Fd accepted(got->fd);
  for (int i = 0; i < 2; ++i) {
    const auto again = Accept(0, b);
    ASSERT_TRUE(again.ok());
    EXPECT_EQ(again->fd, -1);
    EXPECT_EQ(again->became, a);
    EXPECT_TRUE(again->replayed);
  }
  ExpectOutOfRange(Accept(2, b), "sequence", 0, 1);
  got = Accept(1, b);
  EXPECT_EQ(got->became, b);
  EXPECT_EQ(got->sequence, 1u);
  const base::Fd next(got->fd);
  ExpectOutOfRange(Accept(0, a), "sequence", 1, 2);
  got = socket_.Accept(Mode::kExact).Get();
  EXPECT_EQ(got->sequence, 2u);
  const base::Fd last(got->fd);
  ExpectOutOfRange(Accept(2, a), "sequence", 3, 3);
  EXPECT_EQ(Accept(3, a).error().reason, "EAGAIN");
  EXPECT_EQ(socket_.observer().gauges().accepted.load(), 3u);
}

TEST_P(OffsetAccept, OneThatCannotBecomeASocketIsNotLost) {
  const base::Fd client = Client();
  EXPECT_EQ(Accept(0, nullptr).error().reason, "SOCKET_EXISTS");
  auto readable = std::make_shared<std::promise<bool>>();
  socket_.Run([&](Socket& on_loop) {
    on_loop.AddWaiter({.id = Shard::NextId(), .condition = Condition::kReadable, .done = [readable](auto info) {
                         readable->set_value(info.ok());
                       }});
  });
  auto told = readable->get_future();
  EXPECT_EQ(told.wait_for(std::chrono::seconds(0)), std::future_status::ready) << "the kernel has none, but we have";
  const auto got = Accept(0, std::make_shared<testing::Observer>());
  ASSERT_TRUE(got.ok());
  const base::Fd accepted(got->fd);
  EXPECT_EQ(::send(client.get(), "x", 1, MSG_NOSIGNAL), 1);
  WaitFor(accepted.get(), POLLIN);
}

// A caller that gives up while accept(2) is under way.
TEST_P(OffsetAccept, OneOfACancelledCallIsTheNextOnes) {
  const base::Fd client = Client();
  std::atomic<bool> cancelled{false};
  const auto reserve = [&cancelled]() -> base::Result<std::shared_ptr<SocketObserver>> {
    cancelled = true;
    return std::shared_ptr<SocketObserver>(std::make_shared<testing::Observer>());
  };
  std::string reason;
  socket_.Run([&](Socket& on_loop) {
    on_loop.Start(std::make_unique<AcceptOperation>(
        OperationBase{.id = Shard::NextId(), .mode = Mode::kExact, .timeout = {}, .cancelled = &cancelled},
        AcceptOperation::Want{.sequence = 0, .reserve = reserve},
        [&reason](base::Result<AcceptResult> result) { reason = result.ok() ? "OK" : result.error().reason; }));
  });
  EXPECT_EQ(reason, "CANCELLED");
  const auto got = socket_.Accept(Mode::kExact).Get();
  ASSERT_TRUE(got.ok());
  EXPECT_EQ(got->sequence, 0u);
  const base::Fd accepted(got->fd);
  EXPECT_EQ(::send(client.get(), "x", 1, MSG_NOSIGNAL), 1);
  WaitFor(accepted.get(), POLLIN);
}

TEST_P(OffsetAccept, WhatNobodyGotEndsWithTheListener) {
  const base::Fd client = Client();
  EXPECT_FALSE(Accept(0, nullptr).ok());
  socket_.Close();
  char byte;
  WaitFor(client.get(), POLLIN);
  EXPECT_EQ(::recv(client.get(), &byte, 1, 0), GetParam().IsUnix() ? 0 : -1) << "TCP is reset";
}

TEST(OffsetAcceptTcp, WhatNobodyGotEndsWithTheListening) {
  Rig rig;
  TestSocket socket = Open(rig, kTcp.kind());
  const base::Fd client = Plain(kTcp);
  const auto listen = [&] {
    EXPECT_TRUE(socket.Run([](Socket& on_loop) { return on_loop.Listen(16); }).ok());
    const SocketAddress at = *SocketAddress::Inet("127.0.0.1", socket.info().local.port(), "");
    EXPECT_EQ(::connect(client.get(), at.data(), at.size()), 0);
    WaitFor(socket.fd(), POLLIN);
  };
  listen();
  const auto refuse = []() -> base::Result<std::shared_ptr<SocketObserver>> { return base::SocketExists("a"); };
  EXPECT_FALSE(socket.Accept(Mode::kExact, {.sequence = 0, .reserve = refuse}).Get().ok());
  EXPECT_TRUE(socket.Run([](Socket& on_loop) { return on_loop.Shutdown(SHUT_RD); }).ok());
  char byte;
  WaitFor(client.get(), POLLIN);
  EXPECT_EQ(::recv(client.get(), &byte, 1, 0), -1);
  EXPECT_EQ(errno, ECONNRESET);
}

}  // namespace
}  // namespace socketeer::net
