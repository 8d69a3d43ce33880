// AttachSocket: bytes both ways, their order and their ends.
#include <thread>

#include "tests/contract/attach_rig.h"

namespace socketeer::contract {
namespace {

constexpr size_t kMuch = 8 << 20;

class AttachStream : public AttachTest {};
INSTANTIATE_TEST_SUITE_P(Kinds, AttachStream,
                         ::testing::Values(KindNamed("tcp4"), KindNamed("tcp6"), KindNamed("unix")), KindName);
class AttachTcp : public AttachTest {};
INSTANTIATE_TEST_SUITE_P(Kinds, AttachTcp, ::testing::Values(KindNamed("tcp4"), KindNamed("tcp6")), KindName);

TEST_P(AttachStream, SaysWhereItStands) {
  rig_.Send(pair_.client, "before");
  rig_.Send(pair_.server, "early");
  EXPECT_EQ(rig_.Receive(pair_.client, "max_bytes: 2"), "ea");
  Attached attached(server_.caller(), pair_.client);
  ASSERT_FALSE(attached.refused());
  EXPECT_EQ(attached.opened().socket().uid(), pair_.client.uid());
  EXPECT_EQ(attached.opened().socket().state(), v1::STATE_CONNECTED);
  EXPECT_EQ(attached.opened().send_offset(), 6u);
  EXPECT_EQ(attached.opened().receive_offset(), 2u);
  EXPECT_EQ(attached.opened().send_window(), 262'144u);
  EXPECT_TRUE(attached.ReceiveUntil(5));
  EXPECT_EQ(attached.TakeData(), "rly");
  attached.Detach();
}

TEST_P(AttachStream, CarriesBytesBothWays) {
  Attached attached(server_.caller(), pair_.client);
  attached.Send("to the peer");
  EXPECT_EQ(ReceiveAll(11), "to the peer");
  EXPECT_TRUE(attached.AcceptedUntil(11));
  attached.Send(", and more");
  EXPECT_EQ(ReceiveAll(10), ", and more");
  rig_.Send(pair_.server, "to the client");
  EXPECT_TRUE(attached.ReceiveUntil(13, false));
  EXPECT_EQ(Retained(), 13u);
  rig_.Send(pair_.server, ", and more");
  EXPECT_TRUE(attached.ReceiveUntil(23, false));
  EXPECT_EQ(attached.TakeData(), "to the client, and more");
  attached.Acknowledge(13);
  Settle(attached);
  EXPECT_EQ(Retained(), 10u);
  attached.Acknowledge(23);
  Settle(attached);
  EXPECT_EQ(Retained(), 0u);
  EXPECT_EQ(server_->GetHost()->usage().retained_bytes(), 0u);
  const v1::Counters counters = rig_.Get(pair_.client).counters();
  EXPECT_EQ(counters.bytes_sent(), 21u);
  EXPECT_EQ(counters.bytes_received(), 23u);
  attached.Detach();
}

// Guards: half-close treated as close (lima #5329, frp #4967); shutdown overtakes unsent data (wasmtime PR 9225).
TEST_P(AttachStream, HalfCloseOfTheClientThenMuchComesBack) {
  Attached attached(server_.caller(), pair_.client, "send_window: 1048576");
  const std::string out = Pattern(0, 1 << 20), back = Pattern(7, kMuch);
  attached.Send(out);
  attached.Write("shutdown {}");
  EXPECT_EQ(ReceiveAll(out.size()), out);
  EXPECT_TRUE(EndsThere());
  EXPECT_TRUE(attached.NextEvent().has_shutdown());
  EXPECT_EQ(attached.accepted(), out.size()) << "before the shutdown is told";
  EXPECT_TRUE(rig_.Get(pair_.client).write_shutdown());
  std::thread peer([&] {
    SendAll(back);
    ShutDown(pair_.server);
  });
  EXPECT_TRUE(attached.ReceiveUntil(kMuch));
  EXPECT_TRUE(attached.TakeData() == back);
  const auto end = attached.NextEvent();
  EXPECT_TRUE(end.has_end_of_stream());
  EXPECT_EQ(end.end_of_stream().offset(), kMuch);
  peer.join();
  attached.Detach();
}

TEST_P(AttachStream, HalfCloseOfThePeerThenMuchGoesOut) {
  Attached attached(server_.caller(), pair_.client);
  rig_.Send(pair_.server, "last words");
  ShutDown(pair_.server);
  const auto end = attached.NextEvent();
  EXPECT_EQ(end.end_of_stream().offset(), 10u);
  EXPECT_EQ(attached.TakeData(), "last words");
  const std::string out = Pattern(3, kMuch);
  std::string arrived;
  std::thread peer([&] { arrived = ReceiveAll(kMuch); });
  for (size_t at = 0; at < kMuch;) {
    const size_t count = std::min<size_t>({kMuch - at, attached.credit(), 100'000});
    if (count > 0) attached.Send(out.substr(at, count));
    at += count;
    if (attached.credit() > 0) continue;
    ASSERT_TRUE(attached.AcceptedUntil(attached.accepted() + 1));
  }
  peer.join();
  EXPECT_TRUE(arrived == out);
  attached.Write("shutdown {}");
  EXPECT_TRUE(attached.NextEvent().has_shutdown());
  EXPECT_TRUE(EndsThere());
  attached.Detach();
}

// Detaching is in order too: what was sent before arrives.
TEST_P(AttachStream, DetachesBehindWhatWasSent) {
  const std::string out = Pattern(0, 4 << 20);
  Attached attached(server_.caller(), pair_.client, "send_window: 4194304");
  attached.Send(out);
  attached.Write("detach {}");
  EXPECT_EQ(ReceiveAll(out.size()), out);
  EXPECT_EQ(attached.End().code, grpc::StatusCode::OK);
  EXPECT_EQ(attached.accepted(), out.size());
  EXPECT_EQ(rig_.Get(pair_.client).state(), v1::STATE_CONNECTED);
  Attached half(server_.caller(), pair_.client);
  half.Send("x");
  half.HalfClose();
  EXPECT_EQ(half.End().code, grpc::StatusCode::OK) << "ends its side of the RPC: as detach";
  EXPECT_EQ(ReceiveAll(1), "x");
}

// Guards: a reset is not an end. It comes behind the data before it, and again to whoever asks for the same offset.
TEST_P(AttachTcp, AResetIsAnErrorBehindTheData) {
  Attached attached(server_.caller(), pair_.client);
  rig_.Send(pair_.server, "abc");
  EXPECT_TRUE(attached.ReceiveUntil(3));
  EXPECT_TRUE(
      Ok(server_->Ask(&Stub::SetSocketOptions, Rig::At(pair_.server) + "options { linger { enabled: true } }")));
  rig_.Close({pair_.server});
  const Problem reset = testing::ProblemOf(attached.NextEvent().receive_error());
  EXPECT_EQ(reset.code, grpc::StatusCode::ABORTED);
  EXPECT_EQ(reset.reason, "ECONNRESET");
  EXPECT_TRUE(reset.rich);
  EXPECT_EQ(reset.error.operation(), "receive");
  EXPECT_EQ(reset.error.state(), v1::STATE_DISCONNECTED);
  EXPECT_EQ(reset.error.peer().ShortDebugString(), pair_.client.peer().ShortDebugString());
  attached.Send("too late");
  EXPECT_EQ(testing::ProblemOf(attached.NextEvent().send_error()).reason, "EPIPE");
  attached.Send("discarded");
  attached.Write("shutdown {}");
  Settle(attached);
  attached.Detach();
  Attached again(server_.caller(), pair_.client, "receive_offset: 3");
  EXPECT_EQ(testing::ProblemOf(again.NextEvent().receive_error()).reason, "ECONNRESET");
  again.Detach();
  Attached past(server_.caller(), pair_.client);
  EXPECT_TRUE(past.NextEvent().has_end_of_stream()) << "who names no offset has acknowledged it";
  past.Detach();
}

// The kernel tells a reset once; here a send asks first, while data before it is still to come.
TEST_P(AttachTcp, AResetThatASendMeetsIsToldBehindTheDataToo) {
  Attached attached(server_.caller(), pair_.client, "receive_window: 4");
  rig_.Send(pair_.server, "abcdefgh");
  EXPECT_TRUE(attached.ReceiveUntil(4, false));
  EXPECT_TRUE(
      Ok(server_->Ask(&Stub::SetSocketOptions, Rig::At(pair_.server) + "options { linger { enabled: true } }")));
  rig_.Close({pair_.server});
  EXPECT_TRUE(
      Ok(server_->Ask(&Stub::AwaitSockets, "items { condition: CONDITION_PEER_CLOSED " + Rig::At(pair_.client) + "}")));
  attached.Send("x");
  const Problem sent = testing::ProblemOf(attached.NextEvent().send_error());
  EXPECT_EQ(sent.reason, "ECONNRESET");
  EXPECT_EQ(sent.error.operation(), "send");
  EXPECT_EQ(attached.TakeData(), "abcd");
  attached.Acknowledge(2);
  EXPECT_TRUE(attached.ReceiveUntil(6, false));
  attached.Cut();
  Attached next(server_.caller(), pair_.client, "takeover: true receive_offset: 4");
  EXPECT_TRUE(next.ReceiveUntil(8));
  EXPECT_EQ(next.TakeData(), "efgh");
  EXPECT_EQ(testing::ProblemOf(next.NextEvent().receive_error()).reason, "ECONNRESET");
  next.Detach();
}

TEST_P(AttachTcp, OptionsTakeTheirPlace) {
  Attached attached(server_.caller(), pair_.client);
  attached.Write("set_options { nodelay: true }");
  EXPECT_TRUE(attached.NextEvent().options().options().nodelay());
  attached.Write("set_options { rcvlowat: -1 }");
  Problem refused = testing::ProblemOf(attached.NextEvent().options().error());
  EXPECT_EQ(refused.reason, "INVALID_FIELD");
  EXPECT_EQ(refused.Given("field"), "options.rcvlowat");
  attached.Write("set_options {}");
  refused = testing::ProblemOf(attached.NextEvent().options().error());
  EXPECT_EQ(refused.Given("field"), "set_options");
  EXPECT_EQ(refused.error.operation(), "setsockopt");
  attached.Detach();
}

}  // namespace
}  // namespace socketeer::contract
