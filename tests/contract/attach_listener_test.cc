// AttachSocket: a listener, whose connections become sockets by themselves.
#include "tests/contract/counted_rig.h"

namespace socketeer::contract {
namespace {

class AttachListener : public ::testing::TestWithParam<Kind> {
 protected:
  void TearDown() override { server_.CloseAll(); }
  const testing::Caller& caller() { return server_.caller(); }
  void Connect(int count) {
    for (int i = 0; i < count; ++i) clients_.push_back(rig_.ClientOf(listener_));
  }
  uint32_t Sockets() { return server_->GetHost()->usage().sockets(); }

  TestServer server_{{.loops = 2}};
  Rig rig_{GetParam(), server_};
  v1::Socket listener_ = rig_.Listener();
  std::vector<v1::Socket> clients_;
};
INSTANTIATE_TEST_SUITE_P(Kinds, AttachListener,
                         ::testing::Values(KindNamed("tcp4"), KindNamed("tcp6"), KindNamed("unix"), KindNamed("useqp")),
                         KindName);

TEST_P(AttachListener, AcceptsAsFarAsItsWindowAllows) {
  Counted counted(caller(), listener_, "receive_window: 2 labels { key: 'job' value: '7' }");
  ASSERT_FALSE(counted.refused());
  EXPECT_EQ(counted.opened().send_window(), 0u);
  Connect(3);
  EXPECT_TRUE(counted.ReceiveUntil(2));
  counted.Settle();
  EXPECT_EQ(counted.received(), 2u);
  EXPECT_EQ(rig_.Get(listener_).counters().accepted(), 2u) << "the third waits in the kernel";
  counted.Acknowledge(1);
  EXPECT_TRUE(counted.ReceiveUntil(3));
  const auto accepted = counted.TakeAccepted();
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(accepted[i].state(), v1::STATE_CONNECTED);
    EXPECT_EQ(accepted[i].owner(), listener_.owner());
    EXPECT_EQ(accepted[i].session(), listener_.session());
    EXPECT_EQ(accepted[i].labels().at("job"), "7");
    EXPECT_EQ(rig_.Get(accepted[i]).uid(), accepted[i].uid());
    rig_.Send(clients_[i], std::to_string(i));
    EXPECT_EQ(rig_.Receive(accepted[i]), std::to_string(i)) << "in the order of connecting";
  }
  EXPECT_EQ(testing::ProblemOf(caller().Ask(&Stub::AcceptSocket, Rig::At(listener_)).status).reason, "SOCKET_ATTACHED");
  counted.Detach();
}

TEST_P(AttachListener, LivesInTheSessionOfTheStream) {
  ASSERT_TRUE(Ok(server_->Ask(&testing::SessionStub::CreateSession, "session_id: 'work'")));
  const testing::Caller inside = server_.AnotherCaller("sessions/work");
  Counted counted(inside, listener_);
  Connect(1);
  EXPECT_TRUE(counted.ReceiveUntil(1));
  EXPECT_EQ(counted.TakeAccepted()[0].session(), "sessions/work");
  ASSERT_TRUE(Ok(server_->Ask(&testing::SessionStub::EndSession, "name: 'sessions/work'")));
  EXPECT_EQ(counted.End().reason, "SESSION_ENDED");
  EXPECT_EQ(rig_.Get(listener_).state(), v1::STATE_LISTENING);
}

// Cut at every point: a connection is told again until it is acknowledged, as the same socket.
TEST_P(AttachListener, GoesOnWhereItWasCut) {
  Connect(4);
  std::vector<std::string> names;
  for (uint64_t from = 0; from < 4; ++from) {
    Counted counted(caller(), listener_, "takeover: true receive_offset: " + std::to_string(from));
    ASSERT_FALSE(counted.refused()) << counted.End().message;
    EXPECT_TRUE(counted.ReceiveUntil(4));
    const auto accepted = counted.TakeAccepted();
    for (size_t i = 0; i < accepted.size(); ++i) {
      if (from == 0) names.push_back(accepted[i].name());
      EXPECT_EQ(accepted[i].name(), names[from + i]);
    }
    counted.Cut();
  }
  Counted last(caller(), listener_, "takeover: true receive_offset: 3");
  EXPECT_TRUE(last.ReceiveUntil(4));
  last.Detach();
  EXPECT_EQ(Sockets(), 9u) << "the listener, and both ends of four connections";
  const auto again = caller().Ask(&Stub::AcceptSocket, Rig::At(listener_) + "sequence: 3");
  EXPECT_TRUE(again->replayed());
  EXPECT_EQ(again->socket().name(), names[3]);
}

// Who names no number goes on behind what an earlier stream may have got.
TEST_P(AttachListener, GoesOnBehindWhatWasGiven) {
  Connect(2);
  {
    Counted counted(caller(), listener_, "receive_window: 1");
    EXPECT_TRUE(counted.ReceiveUntil(1));
    counted.Cut();
  }
  Counted next(caller(), listener_, "takeover: true receive_window: 1");
  EXPECT_TRUE(next.ReceiveUntil(2));
  EXPECT_EQ(next.opened().receive_offset(), 1u) << "the first was given";
  next.Detach();
  EXPECT_EQ(Sockets(), 5u);
}

// What a stream accepted and never told is the next accept's, under the name that it has.
TEST_P(AttachListener, WhatNobodyWasToldIsTheNextAccepts) {
  constexpr uint64_t kMany = 300;    // more than fit between the two
  grpc::ChannelArguments arguments;  // so that gRPC takes little of what is not read
  arguments.SetInt(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, 65'536);
  arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  const testing::Caller deaf(server_.server().addresses()[0], "", arguments);
  std::string labels;
  for (const char key : {'a', 'b', 'c', 'd', 'e', 'f', 'g'}) {
    labels += std::string("labels { key: '") + key + "' value: '" + std::string(255, 'x') + "' } ";
  }
  Counted counted(deaf, listener_, "receive_window: 1024 " + labels);
  Connect(kMany);
  EXPECT_TRUE(testing::Eventually([&] { return Sockets() == 2 * kMany + 1; }, "who reads nothing hears nothing"));
  // While it stands: of a stream that its caller cuts, gRPC swallows what is sent until it tells of the cut, and so all
  // of it may count as told.
  Counted next(caller(), listener_, "takeover: true receive_window: 1");
  const uint64_t from = next.opened().receive_offset();
  ASSERT_LT(from + 1, kMany) << "gRPC took them all";
  EXPECT_TRUE(next.ReceiveUntil(from + 1));
  next.Detach();
  const auto accepted = caller().Ask(&Stub::AcceptSocket, Rig::At(listener_) + "socket_id: 'mine'");
  ASSERT_TRUE(Ok(accepted));
  EXPECT_EQ(accepted->sequence(), from + 1);
  EXPECT_TRUE(accepted->replayed());
  EXPECT_NE(accepted->socket().name(), "sockets/mine");
  EXPECT_EQ(accepted->socket().labels_size(), 7);
  EXPECT_EQ(Sockets(), 2 * kMany + 1) << "the name that was not needed is free";
}

TEST_P(AttachListener, EndsWithItsSocketAndSession) {
  {
    Counted counted(caller(), listener_);
    Connect(1);
    EXPECT_TRUE(counted.ReceiveUntil(1));
    rig_.Close({listener_});
    EXPECT_EQ(counted.End().reason, "SOCKET_CLOSED");
    const v1::Socket accepted = counted.TakeAccepted()[0];
    EXPECT_EQ(rig_.Get(accepted).state(), v1::STATE_CONNECTED) << "it outlives the listener";
  }
  const v1::Socket other = rig_.Listener();
  ASSERT_TRUE(Ok(server_->Ask(&testing::SessionStub::CreateSession, "session_id: 'work'")));
  ASSERT_TRUE(Ok(server_->Ask(&Stub::TransferSocket, Rig::At(other) + "session: 'sessions/work'")));
  Counted counted(caller(), other);
  ASSERT_TRUE(Ok(server_->Ask(&testing::SessionStub::EndSession, "name: 'sessions/work'")));
  EXPECT_EQ(counted.End().Given("why"), "SESSION_ENDED");
}

TEST_P(AttachListener, EndsWithTheListening) {
  Counted counted(caller(), listener_);
  EXPECT_TRUE(Ok(server_->Ask(&Stub::ShutdownSocket, Rig::At(listener_) + "direction: DIRECTION_READ")));
  const auto error = counted.NextEvent();
  ASSERT_TRUE(error.has_receive_error()) << error.ShortDebugString();
  EXPECT_EQ(testing::ProblemOf(error.receive_error()).error.operation(), "accept");
  counted.Detach();
}

// A connection that was told and is not acknowledged outlives the listening, whatever the stream does next.
TEST_P(AttachListener, KeepsWhatItToldBehindTheListening) {
  for (const bool acknowledges : {false, true}) {
    for (const uint64_t window : {1, 9}) {
      const v1::Socket listener = rig_.Listener();
      Counted counted(caller(), listener, "receive_window: " + std::to_string(window));
      const v1::Socket client = rig_.ClientOf(listener);
      EXPECT_TRUE(counted.ReceiveUntil(1));
      EXPECT_TRUE(Ok(server_->Ask(&Stub::ShutdownSocket, Rig::At(listener) + "direction: DIRECTION_READ")));
      if (acknowledges) counted.Acknowledge(1);
      if (acknowledges || window > 1) {
        EXPECT_TRUE(counted.NextEvent().has_receive_error());
      }
      counted.Detach();
      rig_.Close({listener});
      const v1::Socket accepted = counted.TakeAccepted()[0];
      rig_.Send(client, "here");
      EXPECT_EQ(rig_.Receive(accepted), "here");
      rig_.Close({client, accepted});
    }
  }
}

TEST_P(AttachListener, FramesThatAreWrong) {
  const auto wrong = [&](const std::string& frame, const std::string& open = "") {
    return EndBehind(caller(), listener_, {frame}, open);
  };
  for (const std::string frame : {"data { data: 'x' }", "datagrams { datagrams {} }", "shutdown {}", ""}) {
    ExpectRefused(wrong(frame), "INVALID_FIELD", "frame");
  }
  ExpectRefused(wrong("acknowledge { offset: 1 }"), "OFFSET_OUT_OF_RANGE", "acknowledge.offset");
  ExpectRefused(wrong("", "send_window: 1"), "INVALID_FIELD", "open.send_window");
  ExpectRefused(wrong("", "send_offset: 0"), "INVALID_FIELD", "open.send_offset");
  ExpectRefused(wrong("", "receive_window: 1025"), "INVALID_FIELD", "open.receive_window");
  ExpectRefused(wrong("", "receive_offset: 1"), "OFFSET_OUT_OF_RANGE", "open.receive_offset");
  ExpectRefused(wrong("", "labels { key: 'A' value: 'b' }"), "INVALID_FIELD", "open.labels");
}

// No room for another socket: said once; the connection waits, and comes when there is room.
TEST(AttachListenerLimits, WaitsForRoom) {
  testing::TestServer server({.limits = [](base::Limits& limits) { limits.max_sockets = 4; }});
  Rig rig(KindNamed("tcp4"), server);
  const v1::Socket listener = rig.Listener();
  std::vector<v1::Socket> clients = {rig.ClientOf(listener), rig.ClientOf(listener)};
  Counted counted(server.caller(), listener);
  EXPECT_TRUE(counted.ReceiveUntil(1));
  const auto failure = counted.NextEvent();
  ASSERT_TRUE(failure.has_receive_failure()) << failure.ShortDebugString();
  EXPECT_EQ(failure.receive_failure().sequence(), 1u);
  const Problem problem = testing::ProblemOf(failure.receive_failure().error());
  EXPECT_EQ(problem.reason, "LIMIT_REACHED");
  EXPECT_EQ(problem.Given("limit"), "max_sockets");
  EXPECT_EQ(problem.error.operation(), "accept");
  EXPECT_EQ(problem.error.socket(), listener.name());
  counted.Settle();
  rig.Close({clients[0]});
  EXPECT_TRUE(counted.ReceiveUntil(2)) << "by itself";
  rig.Send(clients[1], "here");
  const auto accepted = counted.TakeAccepted();
  EXPECT_EQ(rig.Receive(accepted[1]), "here");
  counted.Detach();
  server.CloseAll();
}

}  // namespace
}  // namespace socketeer::contract
