// Calls that name their offset or number, on sockets of each kind, on the real kernel.
#include <gtest/gtest.h>
#include <sys/ioctl.h>

#include <cerrno>
#include <string>
#include <vector>

#include "server/base/limits.h"
#include "tests/net/situations.h"

namespace socketeer::net {
namespace {

using testing::AddressOf;
using testing::Flavour;
using testing::kSeqpacket;
using testing::kTcp;
using testing::kUdp;
using testing::kUnix;
using testing::Pending;
using testing::Plain;
using testing::PlainTarget;
using testing::Rig;
using testing::TestSocket;
using testing::WaitFor;

constexpr Flavour kUnixDgram{"dgram_path", AF_UNIX, SOCK_DGRAM};

// A socket on the shard that the test's own one is connected to.
struct Ends {
  Ends(Rig& rig, const Flavour& flavour) : socket(Open(rig, flavour.kind())) {
    const SocketAddress at =
        flavour.IsUnix() ? *SocketAddress::UnixPath(dir.File("there")) : *SocketAddress::Inet("127.0.0.1", 0, "");
    if (flavour.HasConnections()) {
      listener = PlainTarget(flavour, at);
      EXPECT_TRUE(socket.Connect(AddressOf(listener.get())).Get().ok());
      peer.reset(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
      return;
    }
    EXPECT_TRUE(socket.Run([&](Socket& on_loop) { return on_loop.Bind(at); }).ok());
    peer = Plain(flavour);
    const SocketAddress to = socket.info().local;
    EXPECT_EQ(::connect(peer.get(), to.data(), to.size()), 0);
  }
  void PeerSends(const std::string& data) {
    EXPECT_EQ(::send(peer.get(), data.data(), data.size(), MSG_NOSIGNAL), static_cast<ssize_t>(data.size()));
  }
  // The same, and waits until it is there.
  void Deliver(const std::string& data) {
    PeerSends(data);
    WaitFor(socket.fd(), POLLIN);
  }
  base::Result<ReceiveResult> From(uint64_t offset, uint32_t max = 100, Mode mode = Mode::kExact, bool peek = false) {
    return socket.Receive(max, mode, {}, peek, offset).Get();
  }
  base::Result<ReceiveDatagramsResult> Records(std::optional<uint64_t> sequence, uint32_t count = 10,
                                               uint32_t max_bytes = 100, bool peek = false) {
    return socket.ReceiveDatagrams(count, Mode::kExact, peek, max_bytes, sequence).Get();
  }
  uint64_t kept() { return socket.observer().gauges().retained_bytes.load(); }

  ::socketeer::testing::TempDir dir;
  TestSocket socket;
  base::Fd listener, peer;
};

template <typename T>
void ExpectOutOfRange(const base::Result<T>& result, const char* field, uint64_t lowest, uint64_t next) {
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().reason, "OFFSET_OUT_OF_RANGE");
  EXPECT_EQ(result.error().metadata.at("field"), field);
  EXPECT_EQ(result.error().metadata.at("lowest"), std::to_string(lowest));
  EXPECT_EQ(result.error().metadata.at("next"), std::to_string(next));
  EXPECT_EQ(result.error().socket, "sockets/test");
}

// --- Streams. ---

class OffsetStream : public ::testing::TestWithParam<Flavour> {
 protected:
  Rig rig_;
  Ends ends_{rig_, GetParam()};
};
INSTANTIATE_TEST_SUITE_P(Kinds, OffsetStream, ::testing::Values(kTcp, kUnix),
                         [](const auto& each) { return std::string(each.param.name); });

TEST_P(OffsetStream, RepeatsUntilTheNextOneAcknowledges) {
  ends_.Deliver("abcdef");
  for (int i = 0; i < 3; ++i) {
    const auto got = ends_.From(0, 4);
    ASSERT_TRUE(got.ok());
    EXPECT_EQ(got->data, "abcd");
    EXPECT_EQ(got->offset, 0u);
    EXPECT_EQ(got->replayed, i > 0);
    EXPECT_EQ(ends_.kept(), 4u);
  }
  EXPECT_EQ(ends_.From(2)->data, "cd") << "one answer out of what is kept; it acknowledges ab";
  ExpectOutOfRange(ends_.From(1), "offset", 2, 4);
  ExpectOutOfRange(ends_.From(5), "offset", 2, 4);
  EXPECT_EQ(ends_.kept(), 2u) << "a refused call changes nothing";
  const auto next = ends_.From(4);
  EXPECT_EQ(next->data, "ef");
  EXPECT_FALSE(next->replayed);
  EXPECT_EQ(ends_.From(6).error().reason, "EAGAIN") << "and acknowledges";
  EXPECT_EQ(ends_.kept(), 0u);
  ExpectOutOfRange(ends_.From(5), "offset", 6, 6);
  EXPECT_EQ(ends_.socket.observer().gauges().bytes_received.load(), 6u) << "a repetition takes nothing from the kernel";
}

TEST_P(OffsetStream, WithoutOneTheNextByteIsGivenAndAllAcknowledged) {
  ends_.Deliver("abcdef");
  EXPECT_EQ(ends_.From(0, 3)->data, "abc");
  const auto next = ends_.socket.Receive(2, Mode::kExact).Get();
  EXPECT_EQ(next->data, "de");
  EXPECT_EQ(next->offset, 3u);
  EXPECT_EQ(ends_.kept(), 0u);
  ExpectOutOfRange(ends_.From(3), "offset", 5, 5);
  EXPECT_EQ(ends_.From(5)->data, "f");
}

TEST_P(OffsetStream, WholeGoesOnWithTheKernel) {
  ends_.Deliver("abc");
  EXPECT_EQ(ends_.From(0)->data, "abc");
  auto whole = ends_.socket.Receive(6, Mode::kWhole, {}, false, 1);
  EXPECT_FALSE(whole.done());
  ends_.PeerSends("defg");
  const auto got = whole.Get();
  EXPECT_EQ(got->data, "bcdefg");
  EXPECT_TRUE(got->replayed);
  EXPECT_EQ(got->offset, 1u);
  EXPECT_EQ(ends_.kept(), 6u);
}

TEST_P(OffsetStream, WhatACancelledCallTookIsGivenFirst) {
  ends_.Deliver("abc");
  auto whole = ends_.socket.Receive(6, Mode::kWhole, {}, false, 0);
  ends_.socket.Cancel(whole.id);
  EXPECT_FALSE(whole.Get().ok());
  EXPECT_EQ(ends_.kept(), 3u);
  const auto got = ends_.From(0);
  EXPECT_EQ(got->data, "abc");
  EXPECT_FALSE(got->replayed) << "nobody got it before";
  EXPECT_EQ(ends_.From(0, 1)->replayed, true);
}

// A call in the line is judged when it is its turn, and to be cancelled there disturbs nobody.
TEST_P(OffsetStream, IsJudgedWhenItsTurnHasCome) {
  auto first = ends_.socket.Receive(3, Mode::kWhole, {}, false, 0);
  auto cancelled = ends_.socket.Receive(3, Mode::kWait, {}, false, 0);
  auto second = ends_.socket.Receive(3, Mode::kWait, {}, false, 3);
  auto third = ends_.socket.Receive(3, Mode::kWait, {}, false, 1);
  ends_.PeerSends("a");
  ends_.socket.Cancel(cancelled.id);
  ends_.PeerSends("bcd");
  EXPECT_EQ(first.Get()->data, "abc");
  EXPECT_EQ(second.Get()->data, "d");
  ExpectOutOfRange(third.Get(), "offset", 3, 4);
}

TEST_P(OffsetStream, PeekMovesNothing) {
  ends_.Deliver("abcdef");
  EXPECT_EQ(ends_.From(0, 3)->data, "abc");
  const auto again = ends_.From(1, 10, Mode::kExact, true);
  EXPECT_EQ(again->data, "bc");
  EXPECT_TRUE(again->replayed);
  EXPECT_EQ(again->offset, 1u);
  const auto next = ends_.socket.Receive(2, Mode::kExact, {}, true).Get();
  EXPECT_EQ(next->data, "de");
  EXPECT_EQ(next->offset, 3u);
  EXPECT_FALSE(next->replayed);
  EXPECT_EQ(ends_.From(3, 2, Mode::kExact, true)->data, "de");
  ExpectOutOfRange(ends_.From(4, 2, Mode::kExact, true), "offset", 0, 3);
  EXPECT_EQ(ends_.kept(), 3u);
  EXPECT_EQ(ends_.From(0)->data, "abc");
}

TEST_P(OffsetStream, TheEndCanBeRepeated) {
  ends_.Deliver("abc");
  ends_.peer.reset();
  EXPECT_EQ(ends_.From(0)->data, "abc");
  EXPECT_EQ(ends_.From(0)->data, "abc");
  for (int i = 0; i < 2; ++i) {
    const auto end = ends_.From(3);
    ASSERT_TRUE(end.ok());
    EXPECT_TRUE(end->end_of_stream);
    EXPECT_EQ(end->offset, 3u);
  }
}

TEST_P(OffsetStream, TheBoundIsToldAndTheKernelNotRead) {
  Rig rig(16, base::SystemClock(), KernelSyscalls(), 5, 8);
  Ends ends(rig, GetParam());
  Ends other(rig, GetParam());
  ends.Deliver("abcdefghijkl");
  other.Deliver("ABCDEFGHIJ");
  EXPECT_EQ(ends.From(0)->data, "abcde") << "what may be kept";
  EXPECT_EQ(other.From(0)->data, "ABC") << "what is left for all";
  EXPECT_EQ(rig.retained().used(), 8u);
  auto full = ends.From(5, 100);
  EXPECT_EQ(full->data, "fghij") << "what was acknowledged made room for its own";
  const auto unread = [](Ends& each) {
    int count = 0;
    EXPECT_EQ(::ioctl(each.socket.fd(), FIONREAD, &count), 0);
    return count;
  };
  EXPECT_EQ(unread(ends), 2);
  // A whole receive that cannot be: what it took stays.
  const auto whole = ends.socket.Receive(6, Mode::kWhole, {}, false, 5).Get();
  ASSERT_FALSE(whole.ok());
  EXPECT_EQ(whole.error().reason, "LIMIT_REACHED");
  EXPECT_EQ(whole.error().metadata.at("limit"), "max_retained_bytes_per_socket");
  EXPECT_EQ(ends.kept(), 5u);
  EXPECT_EQ(rig.retained().used(), 8u);
  const auto all = other.socket.Receive(5, Mode::kWhole, {}, false, 0).Get();
  EXPECT_EQ(all.error().metadata.at("limit"), "max_retained_bytes");
  EXPECT_EQ(unread(other), 7);
  // Who keeps nothing goes on, whatever others keep.
  EXPECT_EQ(other.socket.Receive(100, Mode::kExact).Get()->data, "DEFGHIJ");
  EXPECT_EQ(other.From(10).error().reason, "EAGAIN");
  ends.socket.Close();
  EXPECT_EQ(rig.retained().used(), 0u);
}

TEST_P(OffsetStream, AtTheBoundACancelledReceiveTakesNothing) {
  Rig rig(16, base::SystemClock(), KernelSyscalls(), 2, 2);
  Ends hoarder(rig, GetParam());
  hoarder.Deliver("xy");
  EXPECT_TRUE(hoarder.From(0).ok());
  Ends ends(rig, GetParam());
  ends.Deliver("abcdef");
  auto got = ends.socket.Receive(4, Mode::kWait).Get();
  EXPECT_EQ(got->data, "abcd");
  EXPECT_EQ(got->offset, 0u);
  EXPECT_EQ(ends.socket.Receive(4, Mode::kWhole).Get().error().reason, "LIMIT_REACHED");
  got = ends.socket.Receive(4, Mode::kExact).Get();
  EXPECT_EQ(got->data, "ef");
  EXPECT_EQ(got->offset, 4u);
  EXPECT_EQ(ends.socket.Receive(4, Mode::kExact).Get().error().reason, "EAGAIN");
  ends.peer.reset();
  EXPECT_TRUE(ends.socket.Receive(4, Mode::kWait).Get()->end_of_stream);
}

TEST_P(OffsetStream, SendSkipsWhatWasAccepted) {
  const auto send = [this](std::string_view data, uint64_t offset, Mode mode = Mode::kWhole) {
    return ends_.socket.Send(data, mode, {}, offset).Get();
  };
  EXPECT_EQ(send("abcd", 0)->next_offset, 4u);
  const auto more = send("cdef", 2);
  EXPECT_EQ(more->bytes_sent, 4u);
  EXPECT_EQ(more->bytes_skipped, 2u);
  EXPECT_EQ(more->next_offset, 6u);
  ExpectOutOfRange(send("x", 7), "offset", 0, 6);
  EXPECT_EQ(ends_.socket.Send("g", Mode::kWhole).Get()->next_offset, 7u);
  EXPECT_TRUE(ends_.socket.Shutdown(SHUT_WR).Get().ok());
  const auto known = send("abcdefg", 0, Mode::kExact);
  ASSERT_TRUE(known.ok()) << "no system call was made";
  EXPECT_EQ(known->bytes_skipped, 7u);
  const auto beyond = send("efgh", 4);
  EXPECT_EQ(beyond.error().reason, "EPIPE");
  EXPECT_EQ(beyond.error().bytes_done, 3u) << "from the front of data";
  EXPECT_EQ(ends_.socket.observer().gauges().bytes_sent.load(), 7u);
  char arrived[16];
  EXPECT_EQ(::recv(ends_.peer.get(), arrived, sizeof(arrived), MSG_WAITALL), 7);
  EXPECT_EQ(std::string(arrived, 7), "abcdefg");
}

// --- What only TCP has. ---

void PeerResets(Ends& ends) {
  const linger reset{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(ends.peer.get(), SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
  ends.peer.reset();
  WaitFor(ends.socket.fd(), POLLHUP);
}

TEST(OffsetTcp, TheErrorThatEndedTheConnectionCanBeRepeated) {
  Rig rig;
  for (const bool with_data : {false, true}) {
    Ends ends(rig, kTcp);
    if (with_data) ends.Deliver("abc");
    PeerResets(ends);
    const uint64_t at = with_data ? 3 : 0;
    if (with_data) {
      EXPECT_EQ(ends.socket.Receive(10, Mode::kWhole, {}, false, 0).Get()->data, "abc");
    }
    for (int i = 0; i < 3; ++i) EXPECT_EQ(ends.From(at).error().reason, "ECONNRESET") << i;
    EXPECT_EQ(ends.socket.info().state, State::kDisconnected);
    if (with_data) {
      EXPECT_EQ(ends.From(at, 1, Mode::kExact, true).error().reason, "ECONNRESET");
    }
    EXPECT_TRUE(ends.socket.Receive(1).Get()->end_of_stream) << "it acknowledges the error";
    EXPECT_TRUE(ends.From(at)->end_of_stream);
  }
}

TEST(OffsetTcp, WithoutOneTheErrorIsToldOnce) {
  Rig rig;
  Ends ends(rig, kTcp);
  PeerResets(ends);
  EXPECT_EQ(ends.socket.Receive(1).Get().error().reason, "ECONNRESET");
  EXPECT_TRUE(ends.From(0)->end_of_stream);
}

TEST(OffsetTcp, CountsAnewWithEachConnection) {
  Rig rig;
  Ends ends(rig, kTcp);
  ends.Deliver("old");
  EXPECT_EQ(ends.From(0)->data, "old");
  EXPECT_TRUE(ends.socket.Send("123", Mode::kWhole).Get().ok());
  auto waits = ends.socket.Receive(10, Mode::kWait, {}, false, 3);
  ASSERT_TRUE(ends.socket.Run([](Socket& on_loop) { return on_loop.Disconnect(); }).ok());
  EXPECT_FALSE(waits.Get().ok());
  EXPECT_EQ(ends.kept(), 0u);
  ASSERT_TRUE(ends.socket.Connect(AddressOf(ends.listener.get())).Get().ok());
  ends.peer.reset(::accept4(ends.listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
  ExpectOutOfRange(ends.From(3), "offset", 0, 0);
  EXPECT_EQ(ends.socket.Send("x", Mode::kWhole, {}, 0).Get()->next_offset, 1u);
  ends.Deliver("new");
  EXPECT_EQ(ends.From(0)->data, "new");
}

// The peer learns from the reset what nobody got; what was given out and not acknowledged somebody got.
TEST(OffsetTcp, CloseResetsOnlyForWhatNobodyGot) {
  Rig rig;
  for (const bool given : {false, true}) {
    Ends ends(rig, kTcp);
    ends.Deliver("abc");
    auto whole = ends.socket.Receive(10, Mode::kWhole, {}, false, 0);
    ends.socket.Cancel(whole.id);
    if (given) {
      EXPECT_EQ(ends.From(0)->data, "abc");
    }
    ends.socket.Close();
    char byte;
    EXPECT_EQ(::recv(ends.peer.get(), &byte, 1, 0), given ? 0 : -1);
  }
}

// --- Datagrams and records. ---

class OffsetRecords : public ::testing::TestWithParam<Flavour> {
 protected:
  Rig rig_;
  Ends ends_{rig_, GetParam()};
};
INSTANTIATE_TEST_SUITE_P(Kinds, OffsetRecords, ::testing::Values(kUdp, kUnixDgram, kSeqpacket),
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
  EXPECT_EQ(::recv(client.get(), &byte, 1, 0), -1);
  EXPECT_EQ(errno, ECONNRESET);
}

}  // namespace
}  // namespace socketeer::net
