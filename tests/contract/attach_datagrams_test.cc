// AttachSocket: datagrams and records, their order, their sizes, and the errors among them.
#include <gmock/gmock.h>

#include <thread>

#include "tests/contract/counted_rig.h"

namespace socketeer::contract {
namespace {

using grpc::StatusCode;
using ::testing::ElementsAre;

std::vector<Kind> KindsOf(std::initializer_list<const char*> names) {
  std::vector<Kind> kinds;
  for (const char* name : names) kinds.push_back(KindNamed(name));
  return kinds;
}

// Attached is pair_.client; pair_.server is driven by unary calls.
class AttachDatagrams : public AttachTest {
 protected:
  // Sends at the server's end, numbered payloads.
  void SendNumbers(uint64_t from, uint64_t count) {
    for (uint64_t i = from; i < from + count; ++i) rig_.Send(pair_.server, std::to_string(i));
  }
  std::vector<std::string> ReceiveAtServer(size_t count) {
    std::vector<std::string> all;
    while (all.size() < count) {
      const auto got = server_->Ask(&Stub::ReceiveDatagrams, Rig::At(pair_.server) + "max_datagrams: 64");
      EXPECT_TRUE(Ok(got));
      if (!got.ok() || got->datagrams().empty()) break;
      for (const auto& each : got->datagrams()) all.push_back(each.payload());
    }
    return all;
  }
};
INSTANTIATE_TEST_SUITE_P(Kinds, AttachDatagrams, ::testing::ValuesIn(KindsOf({"udp4", "udp6", "udgram", "useqp"})),
                         KindName);
class AttachUdp : public AttachDatagrams {};
INSTANTIATE_TEST_SUITE_P(Kinds, AttachUdp, ::testing::ValuesIn(KindsOf({"udp4", "udp6"})), KindName);

TEST_P(AttachDatagrams, CarriesThemBothWays) {
  rig_.Send(pair_.client, "before");
  rig_.Send(pair_.server, "early");
  Counted counted(server_.caller(), pair_.client);
  ASSERT_FALSE(counted.refused());
  EXPECT_EQ(counted.opened().send_offset(), 1u);
  EXPECT_EQ(counted.opened().receive_offset(), 0u);
  EXPECT_EQ(counted.opened().send_window(), 64u);
  counted.Send({"a", "", "ccc"});
  counted.Send({"d"});
  EXPECT_TRUE(counted.DoneUntil(5));
  EXPECT_THAT(ReceiveAtServer(5), ElementsAre("before", "a", "", "ccc", "d"));
  for (const std::string payload : {"", "x", "yy"}) rig_.Send(pair_.server, payload);
  EXPECT_TRUE(counted.ReceiveUntil(4));
  EXPECT_EQ(Retained(), 8u);
  const auto got = counted.TakeDatagrams();
  ASSERT_EQ(got.size(), 4u);
  EXPECT_EQ(got[0].payload(), "early");
  EXPECT_EQ(got[0].true_size(), 5u);
  EXPECT_FALSE(got[0].truncated());
  EXPECT_EQ(got[0].source().ShortDebugString(), pair_.server.local().ShortDebugString());
  EXPECT_EQ(got[0].destination_ip(), GetParam().IsInet() ? pair_.client.local().inet().ip() : "");
  EXPECT_EQ(got[1].payload() + "," + got[2].payload() + "," + got[3].payload(), ",x,yy");
  counted.Acknowledge(4);
  counted.Settle();
  EXPECT_EQ(Retained(), 0u);
  EXPECT_EQ(server_->GetHost()->usage().retained_bytes(), 0u);
  const v1::Counters counters = rig_.Get(pair_.client).counters();
  EXPECT_EQ(counters.datagrams_sent(), 5u);
  EXPECT_EQ(counters.datagrams_received(), 4u);
  counted.Detach();
}

TEST_P(AttachDatagrams, OfEverySize) {
  Counted counted(server_.caller(), pair_.client);
  uint64_t number = 0;
  for (const size_t size : {0, 1, 1'199, 1'200, 8'192, 65'000, 65'507, 0}) {
    counted.Send({testing::Pattern(number, size)});
    const auto got = server_->Ask(&Stub::ReceiveDatagrams, Rig::At(pair_.server));
    ASSERT_TRUE(Ok(got));
    EXPECT_TRUE(got->datagrams(0).payload() == testing::Pattern(number, size)) << size;
    rig_.Send(pair_.server, testing::Pattern(size, size));
    ASSERT_TRUE(counted.ReceiveUntil(++number));
    const auto back = counted.TakeDatagrams();
    EXPECT_EQ(back[0].true_size(), size);
    EXPECT_TRUE(back[0].payload() == testing::Pattern(size, size)) << size;
    counted.Acknowledge(number);
  }
  counted.Detach();
}

TEST_P(AttachDatagrams, AClientThatGrantsNothingGetsNoMore) {
  Counted counted(server_.caller(), pair_.client, "receive_window: 4");
  SendNumbers(0, 9);
  EXPECT_TRUE(counted.ReceiveUntil(4));
  counted.Settle();
  EXPECT_EQ(counted.received(), 4u) << "nothing beyond the window";
  EXPECT_EQ(Retained(), 4u);
  counted.Acknowledge(1);
  EXPECT_TRUE(counted.ReceiveUntil(5));
  counted.Settle();
  EXPECT_EQ(counted.received(), 5u);
  counted.Acknowledge(5);
  EXPECT_TRUE(counted.ReceiveUntil(9));
  EXPECT_THAT(counted.TakePayloads(), ElementsAre("0", "1", "2", "3", "4", "5", "6", "7", "8"));
  counted.Detach();
}

TEST_P(AttachDatagrams, OthersAreRefusedMeanwhileOrTakeOver) {
  SendNumbers(0, 3);
  Counted first(server_.caller(), pair_.client);
  EXPECT_TRUE(first.ReceiveUntil(3));
  EXPECT_EQ(testing::ProblemOf(rig_.TrySend(pair_.client)).reason, "SOCKET_ATTACHED");
  EXPECT_EQ(testing::ProblemOf(rig_.TryReceive(pair_.client, "")).reason, "SOCKET_ATTACHED");
  EXPECT_EQ(Counted(server_.caller(), pair_.client).End().reason, "SOCKET_ATTACHED");
  Counted second(server_.caller(), pair_.client, "takeover: true receive_offset: 1");
  EXPECT_EQ(first.End().reason, "TAKEN_OVER");
  EXPECT_TRUE(second.ReceiveUntil(3));
  EXPECT_THAT(second.TakePayloads(), ElementsAre("1", "2"));
  second.Detach();
  EXPECT_EQ(rig_.Receive(pair_.client, "sequence: 2"), "2") << "it was not acknowledged";
  Counted last(server_.caller(), pair_.client);
  rig_.Close({pair_.client});
  EXPECT_EQ(last.End().reason, "SOCKET_CLOSED");
}

// Both ways at once, through streams that are cut again and again: each datagram once.
TEST_P(AttachDatagrams, GoesOnWhereItWasCut) {
  constexpr uint64_t kAll = 600;
  uint64_t received = 0, done = 0, arrived = 0, delivered = 0;
  for (uint64_t round = 0; received < kAll || done < kAll; ++round) {
    ASSERT_LT(round, 2 * kAll);
    Counted counted(server_.caller(), pair_.client,
                    "takeover: true receive_window: 20 send_window: 16 receive_offset: " + std::to_string(received));
    ASSERT_FALSE(counted.refused()) << counted.End().message;
    ASSERT_GE(counted.opened().send_offset(), done);
    done = counted.opened().send_offset();
    // So many that no kernel's queue is ever full.
    for (; delivered < std::min(kAll, received + 5 + round % 4); ++delivered) {
      rig_.Send(pair_.server, std::to_string(delivered));
    }
    const uint64_t want = std::min(kAll, counted.sent() + 1 + round % 8);
    while (counted.sent() < want) counted.Send({std::to_string(counted.sent())});
    const uint64_t until = std::min(delivered, received + 1 + round % 5);
    while (counted.received() < until) ASSERT_TRUE(counted.Next());
    for (const std::string& payload : counted.TakePayloads()) EXPECT_EQ(payload, std::to_string(received++));
    if (round % 3 == 0) counted.Acknowledge(received);
    if (round % 2 == 0) {
      ASSERT_TRUE(counted.DoneUntil(want));
    }
    for (const std::string& payload : counted.TakePayloads()) EXPECT_EQ(payload, std::to_string(received++));
    counted.Cut();
    if (rig_.Get(pair_.server).state() != v1::STATE_CONNECTED) break;
    const auto there =
        server_->Ask(&Stub::ReceiveDatagrams, Rig::At(pair_.server) + "max_datagrams: 64 mode: MODE_EXACT");
    if (!there.ok()) continue;  // EAGAIN
    for (const auto& each : there->datagrams()) EXPECT_EQ(each.payload(), std::to_string(arrived++));
  }
  while (arrived < kAll) {
    for (const std::string& payload : ReceiveAtServer(1)) ASSERT_EQ(payload, std::to_string(arrived++));
  }
}

// One that cannot be sent fails alone.
TEST_P(AttachUdp, AFailureStandsInItsPlace) {
  Counted counted(server_.caller(), pair_.client);
  counted.Send({"a", std::string(65'536, 'x'), "c"});
  const auto failure = counted.NextEvent();
  ASSERT_TRUE(failure.has_send_failure());
  EXPECT_EQ(failure.send_failure().sequence(), 1u);
  const Problem problem = testing::ProblemOf(failure.send_failure().error());
  EXPECT_EQ(problem.reason, "EMSGSIZE");
  EXPECT_EQ(problem.error.operation(), "send");
  EXPECT_EQ(problem.error.socket(), pair_.client.name());
  EXPECT_TRUE(counted.DoneUntil(3));
  EXPECT_THAT(ReceiveAtServer(2), ElementsAre("a", "c"));
  EXPECT_EQ(rig_.Get(pair_.client).counters().datagrams_sent(), 2u);
  counted.Detach();
}

// The answer of a host where nobody listens comes in place of a datagram, and stays until it is acknowledged.
TEST_P(AttachUdp, ARefusedPeerIsToldUntilItIsAcknowledged) {
  rig_.Close({pair_.server});
  {
    Counted counted(server_.caller(), pair_.client, "receive_window: 1");
    counted.Send({"a"});
    const auto failure = counted.NextEvent();
    ASSERT_TRUE(failure.has_receive_failure()) << failure.ShortDebugString();
    EXPECT_EQ(failure.receive_failure().sequence(), 0u);
    const Problem problem = testing::ProblemOf(failure.receive_failure().error());
    EXPECT_EQ(problem.reason, "ECONNREFUSED");
    EXPECT_EQ(problem.error.operation(), "receive");
    EXPECT_TRUE(counted.DoneUntil(1));
    counted.Send({"b"});
    EXPECT_TRUE(counted.DoneUntil(2));
    counted.Settle();
    EXPECT_EQ(counted.received(), 1u) << "it took the only credit";
  }
  Counted again(server_.caller(), pair_.client, "takeover: true receive_offset: 0 receive_window: 1");
  EXPECT_EQ(again.NextEvent().receive_failure().sequence(), 0u);
  again.Detach();
  EXPECT_EQ(testing::ProblemOf(rig_.TryReceive(pair_.client, "sequence: 0")).reason, "ECONNREFUSED");
  Counted last(server_.caller(), pair_.client, "receive_offset: 0 receive_window: 1");
  EXPECT_TRUE(last.NextEvent().has_receive_failure());
  last.Acknowledge(1);
  const auto second = last.NextEvent();
  EXPECT_EQ(second.receive_failure().sequence(), 1u) << "that of b";
  last.Detach();
  EXPECT_EQ(testing::ProblemOf(rig_.TryReceive(pair_.client, "sequence: 0")).reason, "OFFSET_OUT_OF_RANGE");
}

TEST_P(AttachUdp, CountsWhatTheKernelDropped) {
  constexpr uint64_t kAll = 2'000;
  EXPECT_TRUE(Ok(server_->Ask(&Stub::SetSocketOptions, Rig::At(pair_.client) + "options { rcvbuf: 4096 }")));
  Counted counted(server_.caller(), pair_.client, "receive_window: 3");
  for (uint64_t sent = 0; sent < kAll; sent += 500) {
    v1::SendDatagramsRequest request;
    request.set_name(pair_.server.name());
    request.set_mode(v1::MODE_WHOLE);
    for (int i = 0; i < 500; ++i) request.add_datagrams()->set_payload("x");
    EXPECT_TRUE(Ok(server_->Ask(&Stub::SendDatagrams, request)));
  }
  EXPECT_TRUE(counted.ReceiveUntil(3));
  while (counted.received() + counted.dropped() < kAll) {
    counted.Acknowledge(counted.received());
    ASSERT_TRUE(counted.Next());
  }
  EXPECT_EQ(counted.received() + counted.dropped(), kAll);
  EXPECT_GT(counted.dropped(), 1'000u);
  counted.Detach();
}

// Each to its own address, one without any.
TEST_P(AttachUdp, GoToAnyAddress) {
  const v1::Socket loose = rig_.Open();
  const v1::Socket other = rig_.Bound();
  Counted counted(server_.caller(), loose);
  counted.Send({"nowhere"});
  const auto failure = counted.NextEvent();
  EXPECT_EQ(testing::ProblemOf(failure.send_failure().error()).reason, "WRONG_STATE");
  counted.Send({"a", "b"}, rig_.Reach(other));
  EXPECT_TRUE(counted.DoneUntil(3));
  EXPECT_EQ(rig_.Get(loose).state(), v1::STATE_BOUND);
  EXPECT_EQ(rig_.Receive(other), "a");
  EXPECT_EQ(rig_.Receive(other), "b");
  counted.Detach();
}

TEST_P(AttachDatagrams, FramesThatAreWrong) {
  const auto wrong = [&](const std::string& frame, const std::string& open = "") {
    return EndBehind(server_.caller(), pair_.client, {frame}, open);
  };
  ExpectRefused(wrong("data { data: 'x' }"), "INVALID_FIELD", "frame");
  ExpectRefused(wrong("datagrams {}"), "INVALID_FIELD", "datagrams.datagrams");
  ExpectRefused(wrong("datagrams { datagrams { destination {} } }"), "INVALID_FIELD",
                "datagrams.datagrams[0].destination");
  ExpectRefused(
      wrong("datagrams { datagrams {} datagrams { destination { named { host: 'localhost' port: 9 } } } }"),
      "INVALID_FIELD",
      GetParam().HasConnections() ? "datagrams.datagrams[1].destination" : "datagrams.datagrams[1].destination.named");
  ExpectRefused(wrong("datagrams { sequence: 7 datagrams {} }"), "OFFSET_OUT_OF_RANGE", "datagrams.sequence");
  ExpectRefused(wrong("datagrams { datagrams {} datagrams {} }", "send_window: 1"), "CREDIT_EXCEEDED", "datagrams");
  ExpectRefused(wrong("acknowledge { offset: 1 }"), "OFFSET_OUT_OF_RANGE", "acknowledge.offset");
  ExpectRefused(wrong("", "receive_window: 1025"), "INVALID_FIELD", "open.receive_window");
  ExpectRefused(wrong("", "send_window: 1025"), "INVALID_FIELD", "open.send_window");
  ExpectRefused(wrong("", "labels { key: 'a' value: 'b' }"), "INVALID_FIELD", "open.labels");
  ExpectRefused(wrong("", "send_offset: 1"), "OFFSET_OUT_OF_RANGE", "open.send_offset");
  ExpectRefused(wrong("", "receive_offset: 1"), "OFFSET_OUT_OF_RANGE", "open.receive_offset");
  ExpectRefused(EndBehind(server_.caller(), pair_.client, {"shutdown {}", "datagrams { datagrams {} }"}),
                "INVALID_FIELD", "frame");
  EXPECT_EQ(rig_.Get(pair_.client).counters().datagrams_sent(), 0u);
}

TEST_P(AttachDatagrams, ShutsDownBehindWhatWasSent) {
  Counted counted(server_.caller(), pair_.client);
  counted.Send({"last"});
  counted.Write("shutdown {}");
  EXPECT_TRUE(counted.NextEvent().has_shutdown());
  EXPECT_EQ(counted.done(), 1u);
  EXPECT_EQ(rig_.Receive(pair_.server), "last");
  if (GetParam().HasConnections()) {
    EXPECT_EQ(rig_.Receive(pair_.server), std::nullopt);
    rig_.Send(pair_.server, "");
    ShutDown(pair_.server);
    EXPECT_TRUE(counted.ReceiveUntil(1));
    EXPECT_EQ(counted.NextEvent().end_of_stream().offset(), 1u);
  }
  counted.Detach();
}

TEST(AttachDatagramLimits, SendWindowsOfAll) {
  testing::TestServer server({.limits = [](base::Limits& limits) {
    limits.max_send_window_bytes = 10 * base::kDatagramWindowBytes;
    limits.max_window_datagrams = 8;
  }});
  Rig rig(KindNamed("udp4"), server);
  const Pair pair = rig.Connected();
  EXPECT_EQ(server->GetHost()->limits().max_window_datagrams(), 8u);
  Counted first(server.caller(), pair.client);
  EXPECT_EQ(first.opened().send_window(), 8u) << "the default is not above the limit";
  const Problem refused = Counted(server.caller(), pair.server, "send_window: 3").End();
  EXPECT_EQ(refused.Given("limit"), "max_send_window_bytes");
  Counted second(server.caller(), pair.server, "send_window: 2");
  EXPECT_FALSE(second.refused());
  first.Detach();
  second.Detach();
  rig.ClosePair(pair);
}

}  // namespace
}  // namespace socketeer::contract
