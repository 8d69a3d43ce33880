// AttachSocket: who may attach, how streams end, and how a new one goes on.
#include <thread>

#include "tests/contract/attach_rig.h"

namespace socketeer::contract {
namespace {

using grpc::StatusCode;

class AttachLife : public AttachTest {};
INSTANTIATE_TEST_SUITE_P(Kinds, AttachLife, ::testing::Values(KindNamed("tcp4"), KindNamed("unix")), KindName);

TEST_P(AttachLife, UnaryCallsAreRefusedMeanwhile) {
  const auto refused = [](const grpc::Status& status, const std::string& operation) {
    const Problem problem = testing::ProblemOf(status);
    EXPECT_EQ(problem.code, StatusCode::FAILED_PRECONDITION);
    EXPECT_EQ(problem.reason, "SOCKET_ATTACHED") << operation;
    EXPECT_EQ(problem.error.operation(), operation);
  };
  const std::string at = Rig::At(pair_.client);
  rig_.Send(pair_.server, "abc");
  Attached attached(server_.caller(), pair_.client);
  EXPECT_TRUE(attached.ReceiveUntil(3, false));
  refused(rig_.TrySend(pair_.client), "send");
  refused(rig_.TryReceive(pair_.client, ""), "receive");
  refused(rig_.TryReceive(pair_.client, "peek: true"), "receive");
  refused(rig_.TryReceive(pair_.client, "mode: MODE_EXACT offset: 0"), "receive");
  refused(server_->Ask(&Stub::ShutdownSocket, at + "direction: DIRECTION_WRITE").status, "shutdown");
  refused(server_->Ask(&Stub::ConnectSocket, at + "disconnect: true").status, "connect");
  EXPECT_TRUE(Ok(server_->Ask(&Stub::GetSocketOptions, at)));
  EXPECT_EQ(rig_.Get(pair_.client).counters().bytes_sent(), 0u);
  attached.Detach();
  EXPECT_TRUE(rig_.TrySend(pair_.client).ok());
  EXPECT_EQ(rig_.Receive(pair_.client, "offset: 0"), "abc") << "it was not acknowledged";
}

// The peer's end of what the caller shuts down itself is told, as the kernel does.
TEST_P(AttachLife, AShutReadSideIsAnEnd) {
  Attached attached(server_.caller(), pair_.client);
  EXPECT_TRUE(Ok(server_->Ask(&Stub::ShutdownSocket, Rig::At(pair_.client) + "direction: DIRECTION_READ")));
  EXPECT_TRUE(attached.NextEvent().has_end_of_stream());
  attached.Detach();
}

TEST_P(AttachLife, ASecondOneIsRefusedOrTakesOver) {
  rig_.Send(pair_.server, "abcdef");
  Attached first(server_.caller(), pair_.client);
  EXPECT_TRUE(first.ReceiveUntil(6, false));
  const Problem refused = Attached(server_.caller(), pair_.client).End();
  EXPECT_EQ(refused.code, StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(refused.reason, "SOCKET_ATTACHED");
  // A takeover that is refused takes nothing.
  EXPECT_EQ(Attached(server_.caller(), pair_.client, "takeover: true receive_offset: 7").End().reason,
            "OFFSET_OUT_OF_RANGE");
  first.Send("still here");
  EXPECT_EQ(ReceiveAll(10), "still here");
  Attached second(server_.caller(), pair_.client, "takeover: true receive_offset: 4");
  EXPECT_EQ(second.opened().send_offset(), 10u);
  const Problem taken = first.End();
  EXPECT_EQ(taken.code, StatusCode::ABORTED);
  EXPECT_EQ(taken.reason, "TAKEN_OVER");
  EXPECT_EQ(taken.error.socket(), pair_.client.name());
  EXPECT_TRUE(second.ReceiveUntil(6));
  EXPECT_EQ(second.TakeData(), "ef");
  second.Send(", and on");
  EXPECT_EQ(ReceiveAll(8), ", and on");
  second.Detach();
}

TEST_P(AttachLife, CallsThatWaitAreInTheWay) {
  auto waiting = server_->Start(&AsyncStub::ReceiveData, Rig::At(pair_.client));
  EXPECT_TRUE(rig_.Waits(pair_.client, 1));
  const Problem refused = Attached(server_.caller(), pair_.client).End();
  EXPECT_EQ(refused.code, StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(refused.reason, "CALL_WAITING");
  EXPECT_FALSE(waiting.Ended());
  Attached attached(server_.caller(), pair_.client, "takeover: true");
  EXPECT_TRUE(Fails(waiting.Wait(), StatusCode::ABORTED, "TAKEN_OVER"));
  rig_.Send(pair_.server, "mine");
  EXPECT_TRUE(attached.ReceiveUntil(4));
  attached.Detach();
}

// Both ways at once, through streams that are cut again and again: every byte once.
TEST_P(AttachLife, GoesOnWhereItWasCut) {
  constexpr uint64_t kAll = 3 << 20;
  constexpr uint64_t kPart = 150'001;  // between two cuts
  const std::string out = Pattern(0, kAll), in = Pattern(5, kAll);
  std::string arrived;
  std::jthread writer([&] { SendAll(in); });
  std::jthread reader([&] { arrived = ReceiveAll(kAll); });
  std::string received;
  uint64_t accepted = 0;
  while (received.size() < kAll || accepted < kAll) {
    Attached attached(server_.caller(), pair_.client,
                      "takeover: true receive_window: 300000 receive_offset: " + std::to_string(received.size()));
    ASSERT_FALSE(attached.refused()) << attached.End().message;
    EXPECT_GE(attached.opened().send_offset(), accepted);
    accepted = attached.opened().send_offset();
    const uint64_t until = received.size() + accepted + kPart;
    for (uint64_t acknowledged = received.size(); received.size() + accepted < until;) {
      const uint64_t left = std::min(kAll - attached.sent(), attached.credit());
      if (left > 0) attached.Send(out.substr(attached.sent(), std::min<uint64_t>(left, 40'000)));
      if (received.size() == kAll && accepted == kAll) break;
      ASSERT_TRUE(attached.Next()) << attached.End().message;
      received += attached.TakeData();
      accepted = attached.accepted();
      // Behind, so that a cut finds bytes that came and were not acknowledged.
      if (received.size() > acknowledged + 60'000) attached.Acknowledge(acknowledged = received.size() - 20'000);
    }
  }
  writer.join();
  reader.join();
  EXPECT_TRUE(received == in);
  EXPECT_TRUE(arrived == out);
}

// A stream that names no offset goes on behind what an earlier one may have got; who names one gets that again.
TEST_P(AttachLife, AfterOneThatReadNothing) {
  constexpr uint64_t kAll = 2 << 20;
  std::jthread writer([&] { SendAll(Pattern(0, kAll)); });
  {
    Attached deaf(server_.caller(), pair_.client, "receive_window: 4194304");
    EXPECT_TRUE(testing::Eventually([&] { return Retained() == kAll; }, "who reads nothing hears nothing"));
  }
  Attached next(server_.caller(), pair_.client, "takeover: true receive_offset: 0 receive_window: 4194304");
  EXPECT_TRUE(next.ReceiveUntil(kAll, false));
  EXPECT_TRUE(next.TakeData() == Pattern(0, kAll));
  Attached after(server_.caller(), pair_.client, "takeover: true");
  EXPECT_EQ(after.opened().receive_offset(), kAll);
  Settle(after);
  EXPECT_EQ(Retained(), 0u) << "which acknowledges what is below";
  after.Detach();
}

TEST_P(AttachLife, EndsWithItsSocket) {
  Attached attached(server_.caller(), pair_.client, "send_window: 4194304");
  attached.Send(Pattern(0, 4 << 20));  // more than the kernel takes
  rig_.Close({pair_.client});
  const Problem closed = attached.End();
  EXPECT_EQ(closed.code, StatusCode::ABORTED);
  EXPECT_EQ(closed.reason, "SOCKET_CLOSED");
  EXPECT_EQ(closed.Given("why"), "OWNER");
  EXPECT_EQ(closed.error.socket(), pair_.client.name());
  EXPECT_EQ(Attached(server_.caller(), pair_.client).End().code, StatusCode::NOT_FOUND);
}

TEST_P(AttachLife, EndsWithItsSession) {
  ASSERT_TRUE(Ok(server_->Ask(&testing::SessionStub::CreateSession, "session_id: 'work'")));
  ASSERT_TRUE(Ok(server_->Ask(&Stub::TransferSocket, Rig::At(pair_.client) + "session: 'sessions/work'")));
  Attached attached(server_.caller(), pair_.client);
  Attached unopened(server_.caller());
  EXPECT_TRUE(testing::Eventually(
      [&] { return server_->Ask(&testing::SessionStub::GetSession, "name: 'sessions/work'")->holders() == 1; },
      "the transfer, which was answered, is not over yet"));
  ASSERT_TRUE(Ok(server_->Ask(&testing::SessionStub::EndSession, "name: 'sessions/work'")));
  const Problem ended = attached.End();
  EXPECT_EQ(ended.code, StatusCode::ABORTED);
  EXPECT_EQ(ended.reason, "SOCKET_CLOSED");
  EXPECT_EQ(ended.Given("why"), "SESSION_ENDED");
}

// It is made in one session, its socket lives in another: the end of the first ends it, and leaves the socket alone.
TEST_P(AttachLife, EndsWithTheSessionThatItIsMadeIn) {
  ASSERT_TRUE(Ok(server_->Ask(&testing::SessionStub::CreateSession, "session_id: 'work'")));
  const testing::Caller inside = server_.AnotherCaller("sessions/work");
  rig_.Send(pair_.server, "abc");
  Attached attached(inside, pair_.client);
  EXPECT_TRUE(attached.ReceiveUntil(3, false));
  ASSERT_TRUE(Ok(server_->Ask(&testing::SessionStub::EndSession, "name: 'sessions/work'")));
  const Problem ended = attached.End();
  EXPECT_EQ(ended.code, StatusCode::ABORTED);
  EXPECT_EQ(ended.reason, "SESSION_ENDED");
  Attached next(server_.caller(), pair_.client, "takeover: true receive_offset: 0");
  EXPECT_TRUE(next.ReceiveUntil(3));
  next.Detach();
}

TEST_P(AttachLife, ADaemonThatStopsEndsIt) {
  Attached attached(server_.caller(), pair_.client);
  Attached unopened(server_.caller());
  ASSERT_TRUE(testing::Eventually([&] { return server_->GetHost()->usage().calls() == 3; },
                                  "the API has no event for a stream that began"));
  server_.Drain(std::chrono::seconds(20));
  for (Attached* each : {&attached, &unopened}) {
    const Problem drained = each->End();
    EXPECT_EQ(drained.code, StatusCode::UNAVAILABLE);
    EXPECT_EQ(drained.reason, "DRAINING");
    EXPECT_TRUE(drained.rich);
  }
}

TEST_P(AttachLife, AForeignSocketIsNotThere) {
  TestServer server({.loopback = true});
  Rig rig(GetParam(), server);
  const Pair pair = rig.Connected();
  const testing::Caller stranger = server.LoopbackCaller();
  EXPECT_EQ(Attached(stranger, pair.client).End().reason, "SOCKET_NOT_FOUND");
  rig.ClosePair(pair);
}

// Windows count while they may be used.
TEST(AttachLimits, SendWindowsOfAll) {
  TestServer server({.limits = [](base::Limits& limits) { limits.max_send_window_bytes = 1'000; }});
  Rig rig(KindNamed("unix"), server);
  const Pair pair = rig.Connected();
  EXPECT_EQ(server->GetHost()->limits().max_send_window_bytes(), 1'000u);
  {
    Attached first(server.caller(), pair.client, "send_window: 600");
    ASSERT_FALSE(first.refused());
    const Problem refused = Attached(server.caller(), pair.server, "send_window: 401").End();
    EXPECT_EQ(refused.code, StatusCode::RESOURCE_EXHAUSTED);
    EXPECT_EQ(refused.reason, "LIMIT_REACHED");
    EXPECT_EQ(refused.Given("limit"), "max_send_window_bytes");
    Attached second(server.caller(), pair.server, "send_window: 400");
    EXPECT_FALSE(second.refused());
    first.Detach();
    second.Detach();
  }
  EXPECT_TRUE(testing::Eventually(
      [&] {
        Attached all(server.caller(), pair.server, "send_window: 1000");
        return !all.refused();
      },
      "a call that ended here ends at the daemon a little later"));
  rig.ClosePair(pair);
}

// A stream that may take nothing from the kernel, because others keep all that may be kept, goes on when they let go.
TEST(AttachLimits, RetainedBytesOfAll) {
  TestServer server({.limits = [](base::Limits& limits) {
    limits.max_retained_bytes_per_socket = 4;
    limits.max_retained_bytes = 4;
  }});
  Rig rig(KindNamed("tcp4"), server);
  const Pair one = rig.Connected(), two = rig.Connected();
  rig.Send(one.server, "abcd");
  rig.Send(two.server, "efgh");
  Attached first(server.caller(), one.client);
  EXPECT_TRUE(first.ReceiveUntil(4, false));
  Attached second(server.caller(), two.client);
  second.Write("set_options { rcvlowat: 1 }");
  EXPECT_TRUE(second.NextEvent().has_options());
  EXPECT_EQ(second.received(), 0u);
  EXPECT_EQ(server->GetHost()->usage().retained_bytes(), 4u);
  first.Acknowledge(4);
  EXPECT_TRUE(second.ReceiveUntil(4));
  EXPECT_EQ(second.TakeData(), "efgh");
  first.Detach();
  second.Detach();
  rig.ClosePair(one);
  rig.ClosePair(two);
}

// An attached stream holds its socket's session.
TEST(AttachLimits, HoldsTheSession) {
  TestServer server;
  Rig rig(KindNamed("unix"), server);
  const Pair pair = rig.Connected();
  ASSERT_TRUE(Ok(server->Ask(&testing::SessionStub::CreateSession, "session_id: 'short' ttl { seconds: 1 }")));
  ASSERT_TRUE(Ok(server->Ask(&Stub::TransferSocket, Rig::At(pair.client) + "session: 'sessions/short'")));
  Attached attached(server.caller(), pair.client);
  // Two leases and a half; nothing else happens in that session.
  EXPECT_TRUE(server
                  ->Ask(&Stub::AwaitSockets,
                        "items { name: 'sockets/never' condition: CONDITION_CLOSED allow_missing: true } "
                        "timeout { seconds: 2 nanos: 500000000 }")
                  ->timed_out());
  attached.Send("alive");
  EXPECT_EQ(rig.Receive(pair.server), "alive");
  attached.Detach();
  rig.ClosePair(pair);
}

}  // namespace
}  // namespace socketeer::contract
