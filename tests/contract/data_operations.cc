// What data calls of every kind have in common, and the streams.
#include "tests/contract/operations.h"

namespace socketeer::contract {
namespace {

using grpc::StatusCode;

void SendReceive(Rig& rig) {
  const Pair pair = rig.Connected();
  const std::string binary("a\0b\xff\n", 5);
  rig.Send(pair.client, binary);
  EXPECT_EQ(rig.Receive(pair.server), binary);
  rig.Send(pair.server, "back");
  EXPECT_EQ(rig.Receive(pair.client), "back");
  const v1::Counters counters = rig.Get(pair.client).counters();
  EXPECT_EQ(counters.bytes_sent(), 5u);
  EXPECT_EQ(counters.bytes_received(), 4u);
  EXPECT_EQ(counters.datagrams_sent(), rig.kind().HasRecords() ? 1u : 0u);
  EXPECT_EQ(counters.datagrams_received(), rig.kind().HasRecords() ? 1u : 0u);
  rig.ClosePair(pair);
}

// A receive that waits gets what is sent later.
void ReceiveWaits(Rig& rig) {
  const Pair pair = rig.Connected();
  if (rig.kind().IsStream()) {
    auto receive = rig.caller().Start(&AsyncStub::ReceiveData, rig.At(pair.server));
    EXPECT_TRUE(rig.Waits(pair.server, 1));
    rig.Send(pair.client, "late");
    EXPECT_EQ(receive.Wait()->data(), "late");
  } else {
    auto receive = rig.caller().Start(&AsyncStub::ReceiveDatagrams, rig.At(pair.server));
    EXPECT_TRUE(rig.Waits(pair.server, 1));
    rig.Send(pair.client, "late");
    auto reply = receive.Wait();
    ASSERT_EQ(reply->datagrams_size(), 1) << reply;
    EXPECT_EQ(reply->datagrams(0).payload(), "late");
  }
  EXPECT_EQ(rig.Get(pair.server).waiting_reads(), 0u);
  rig.ClosePair(pair);
}

void ReceiveExact(Rig& rig) {
  const Pair pair = rig.Connected();
  const auto problem = testing::ProblemOf(rig.TryReceive(pair.server, "mode: MODE_EXACT"));
  EXPECT_EQ(problem.code, StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(problem.reason, "EAGAIN");
  EXPECT_EQ(problem.error.origin(), v1::ORIGIN_KERNEL);
  EXPECT_EQ(problem.error.operation(), "receive");
  EXPECT_EQ(problem.error.system_call(), "recvmsg");
  EXPECT_EQ(problem.error.socket(), pair.server.name());
  EXPECT_EQ(problem.error.state(), v1::STATE_CONNECTED);
  EXPECT_EQ(problem.error.local().ShortDebugString(), pair.server.local().ShortDebugString());
  rig.Send(pair.client, "now");
  auto there =
      rig.caller().Ask(&Stub::AwaitSockets, "items { condition: CONDITION_READABLE " + rig.At(pair.server) + " }");
  EXPECT_TRUE(Ok(there));
  EXPECT_EQ(rig.Receive(pair.server, "mode: MODE_EXACT"), "now");
  rig.ClosePair(pair);
}

// It would overtake those that wait.
void ExactBehindWaiting(Rig& rig) {
  const Pair pair = rig.Connected();
  if (rig.kind().IsStream()) {
    auto waiting = rig.caller().Start(&AsyncStub::ReceiveData, rig.At(pair.server));
    EXPECT_TRUE(rig.Waits(pair.server, 1));
    EXPECT_EQ(testing::ProblemOf(rig.TryReceive(pair.server, "mode: MODE_EXACT")).reason, "CALL_WAITING");
    rig.Send(pair.client, "first");
    EXPECT_EQ(waiting.Wait()->data(), "first");
  } else {
    auto waiting = rig.caller().Start(&AsyncStub::ReceiveDatagrams, rig.At(pair.server));
    EXPECT_TRUE(rig.Waits(pair.server, 1));
    EXPECT_EQ(testing::ProblemOf(rig.TryReceive(pair.server, "mode: MODE_EXACT")).reason, "CALL_WAITING");
    rig.Send(pair.client, "first");
    EXPECT_EQ(waiting.Wait()->datagrams(0).payload(), "first");
  }
  rig.ClosePair(pair);
}

void SendExact(Rig& rig) {
  const Pair pair = rig.Connected();
  EXPECT_TRUE(rig.TrySend(pair.client, "mode: MODE_EXACT").ok());
  EXPECT_EQ(rig.Receive(pair.server), "x");
  rig.ClosePair(pair);
}

void Peek(Rig& rig) {
  const Pair pair = rig.Connected();
  rig.Send(pair.client, "stays");
  EXPECT_EQ(rig.Receive(pair.server, "peek: true"), "stays");
  EXPECT_EQ(rig.Get(pair.server).counters().bytes_received(), 0u);
  EXPECT_EQ(rig.Receive(pair.server, "peek: true max_bytes: 2"), "st");
  EXPECT_EQ(rig.Receive(pair.server), "stays");
  EXPECT_TRUE(rig.TryReceive(pair.server, "mode: MODE_EXACT peek: true").error_code() ==
              StatusCode::FAILED_PRECONDITION);
  rig.ClosePair(pair);
}

// The call's own timeout: OK, timed_out.
void ReceiveTimeout(Rig& rig) {
  const Pair pair = rig.Connected();
  for (const std::string timeout : {"timeout {}", "timeout { nanos: 1000000 }"}) {
    if (rig.kind().IsStream()) {
      auto reply = rig.caller().Ask(&Stub::ReceiveData, rig.At(pair.server) + timeout);
      EXPECT_TRUE(Ok(reply));
      EXPECT_TRUE(reply->timed_out());
      EXPECT_FALSE(reply->end_of_stream());
    } else {
      auto reply = rig.caller().Ask(&Stub::ReceiveDatagrams, rig.At(pair.server) + timeout);
      EXPECT_TRUE(Ok(reply));
      EXPECT_TRUE(reply->timed_out());
      EXPECT_FALSE(reply->end_of_stream());
    }
  }
  rig.Send(pair.client, "after");
  EXPECT_EQ(rig.Receive(pair.server), "after");
  rig.ClosePair(pair);
}

void SendBeforeConnect(Rig& rig) {
  const v1::Socket socket = rig.Open();
  const auto problem = testing::ProblemOf(rig.TrySend(socket));
  EXPECT_EQ(problem.code, StatusCode::FAILED_PRECONDITION) << problem.reason;
  EXPECT_EQ(problem.error.operation(), "send");
  EXPECT_EQ(problem.error.state(), v1::STATE_CREATED);
  EXPECT_EQ(rig.Get(socket).state(), v1::STATE_CREATED);
  rig.Close({socket});
}

// All of it or, at the timeout, what there was.
void StreamWhole(Rig& rig) {
  const Pair pair = rig.Connected();
  auto receive =
      rig.caller().Start(&AsyncStub::ReceiveData, rig.At(pair.server) + "mode: MODE_WHOLE min_bytes: 6 max_bytes: 100");
  rig.Send(pair.client, "one");
  EXPECT_FALSE(receive.Ended());
  rig.Send(pair.client, "two");
  EXPECT_EQ(receive.Wait()->data(), "onetwo");

  rig.Send(pair.client, "part");
  auto part = rig.caller().Ask(&Stub::ReceiveData,
                               rig.At(pair.server) + "mode: MODE_WHOLE max_bytes: 10 timeout { nanos: 20000000 }");
  EXPECT_TRUE(Ok(part));
  EXPECT_EQ(part->data(), "part");
  EXPECT_TRUE(part->timed_out());
  EXPECT_FALSE(part->end_of_stream());

  rig.Send(pair.client, "last");
  rig.Close({pair.client});
  auto end = rig.caller().Ask(&Stub::ReceiveData, rig.At(pair.server) + "mode: MODE_WHOLE max_bytes: 10");
  EXPECT_TRUE(Ok(end));
  EXPECT_EQ(end->data(), "last");
  EXPECT_TRUE(end->end_of_stream());
  rig.Close({pair.server});
}

void StreamEmptySend(Rig& rig) {
  const Pair pair = rig.Connected();
  for (const std::string mode : {"MODE_EXACT", "MODE_WAIT", "MODE_WHOLE"}) {
    auto reply = rig.caller().Ask(&Stub::SendData, rig.At(pair.client) + "mode: " + mode);
    EXPECT_TRUE(Ok(reply));
    EXPECT_EQ(reply->bytes_sent(), 0u);
  }
  rig.Send(pair.client, "then");
  EXPECT_EQ(rig.Receive(pair.server), "then");
  rig.ClosePair(pair);
}

void StreamMaxBytes(Rig& rig) {
  const Pair pair = rig.Connected();
  rig.Send(pair.client, "abcdef");
  EXPECT_EQ(rig.Receive(pair.server, "max_bytes: 2"), "ab");
  EXPECT_EQ(rig.Receive(pair.server, "max_bytes: 3"), "cde");
  EXPECT_EQ(rig.Receive(pair.server, "max_bytes: 100"), "f");
  rig.ClosePair(pair);
}

// Through small buffers, so that sends are partial; no byte is lost, doubled or moved.
void StreamMegabyte(Rig& rig) {
  const std::string small =
      rig.kind().IsTcp() ? "options { sndbuf: 16384 rcvbuf: 16384 } " : "options { sndbuf: 16384 } ";
  const Pair pair = rig.Connected(small, small);
  v1::SendDataRequest request;
  request.set_name(pair.client.name());
  request.set_mode(v1::MODE_WHOLE);
  std::string& data = *request.mutable_data();
  uint32_t state = 1;
  while (data.size() < (1 << 20)) {
    state = state * 1664525 + 1013904223;
    data += static_cast<char>(state >> 24);
  }
  auto send = rig.caller().Start(&AsyncStub::SendData, request);
  std::string received;
  while (received.size() < data.size()) {
    const auto part = rig.Receive(pair.server, "max_bytes: 100000");
    if (!part || part->empty()) break;
    received += *part;
  }
  EXPECT_TRUE(received == data) << received.size() << " bytes of " << data.size() << ", or others";
  auto sent = send.Wait();
  EXPECT_TRUE(Ok(sent));
  EXPECT_EQ(sent->bytes_sent(), data.size());
  EXPECT_EQ(rig.Get(pair.server).counters().bytes_received(), data.size());
  rig.ClosePair(pair);
}

// A send that its own timeout ends says how much went.
void StreamSendTimeout(Rig& rig) {
  const std::string small = rig.kind().IsTcp() ? "options { sndbuf: 4096 rcvbuf: 4096 } " : "options { sndbuf: 4096 } ";
  const Pair pair = rig.Connected(small, small);
  v1::SendDataRequest request;
  request.set_name(pair.client.name());
  request.set_mode(v1::MODE_WHOLE);
  request.set_data(std::string(1 << 20, 's'));
  request.mutable_timeout()->set_nanos(20'000'000);
  auto reply = rig.caller().Ask(&Stub::SendData, request);
  ASSERT_TRUE(Ok(reply));
  EXPECT_TRUE(reply->timed_out());
  EXPECT_GT(reply->bytes_sent(), 0u);
  EXPECT_LT(reply->bytes_sent(), request.data().size());
  EXPECT_EQ(rig.Get(pair.client).counters().bytes_sent(), reply->bytes_sent());
  auto received = rig.caller().Ask(
      &Stub::ReceiveData, rig.At(pair.server) + "mode: MODE_WHOLE max_bytes: " + std::to_string(reply->bytes_sent()));
  EXPECT_EQ(received->data().size(), reply->bytes_sent());
  auto none = rig.caller().Ask(&Stub::ReceiveData, rig.At(pair.server) + "mode: MODE_EXACT");
  EXPECT_TRUE(Fails(none, StatusCode::FAILED_PRECONDITION, "EAGAIN"));
  rig.ClosePair(pair);
}

}  // namespace

std::vector<Operation> DataOperations() {
  return {
      {"send, receive", Always, SendReceive},
      {"receive: waits", Always, ReceiveWaits},
      {"receive: exact", Always, ReceiveExact},
      {"receive: exact, in queue", Always, ExactBehindWaiting},
      {"receive: timeout", Always, ReceiveTimeout},
      {"send: exact", Always, SendExact},
      {"send: no peer", Always, SendBeforeConnect},
      {"peek", Always, Peek},
      {"stream: whole", Streams, StreamWhole},
      {"stream: empty send", Streams, StreamEmptySend},
      {"stream: max_bytes", Streams, StreamMaxBytes},
      {"stream: 1 MiB", Streams, StreamMegabyte},
      {"stream: send timeout", Streams, StreamSendTimeout},
  };
}

}  // namespace socketeer::contract
