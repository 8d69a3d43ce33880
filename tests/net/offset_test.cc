// Receives and sends that name their offset in a stream.
#include <gtest/gtest.h>
#include <sys/ioctl.h>

#include <string>

#include "tests/net/ends.h"

namespace socketeer::net {
namespace {

using testing::AddressOf;
using testing::Ends;
using testing::ExpectOutOfRange;
using testing::Flavour;
using testing::kTcp;
using testing::kUnix;
using testing::Rig;
using testing::WaitFor;

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

TEST_P(OffsetStream, OneThatGetsNothingAcknowledgesNothing) {
  ends_.Deliver("abc");
  EXPECT_EQ(ends_.From(0)->data, "abc");
  EXPECT_TRUE(ends_.socket.Receive(1, Mode::kWait, std::chrono::seconds(0)).Get()->timed_out);
  EXPECT_EQ(ends_.socket.Receive(1, Mode::kExact).Get().error().reason, "EAGAIN");
  EXPECT_EQ(ends_.From(0)->data, "abc");
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

TEST(OffsetTcp, APeekDoesNotAcknowledgeTheError) {
  Rig rig;
  Ends ends(rig, kTcp);
  PeerResets(ends);
  EXPECT_EQ(ends.From(0).error().reason, "ECONNRESET");
  EXPECT_TRUE(ends.socket.Receive(1, Mode::kExact, {}, true).Get()->end_of_stream);
  EXPECT_EQ(ends.From(0).error().reason, "ECONNRESET");
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

}  // namespace
}  // namespace socketeer::net
