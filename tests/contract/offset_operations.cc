// Calls that name their offset or number, for each kind.
#include "tests/contract/operations.h"

namespace socketeer::contract {
namespace {

using grpc::StatusCode;

// OFFSET_OUT_OF_RANGE with all that it says.
template <typename Response>
void ExpectOutOfRange(const Reply<Response>& reply, const std::string& field, uint64_t given, uint64_t lowest,
                      uint64_t next) {
  EXPECT_TRUE(Fails(reply, StatusCode::OUT_OF_RANGE, "OFFSET_OUT_OF_RANGE"));
  const auto problem = reply.problem();
  EXPECT_EQ(problem.Given("field"), field);
  EXPECT_EQ(problem.Given("given"), std::to_string(given));
  EXPECT_EQ(problem.Given("lowest"), std::to_string(lowest));
  EXPECT_EQ(problem.Given("next"), std::to_string(next));
  EXPECT_EQ(problem.error.origin(), v1::ORIGIN_DAEMON);
}

Reply<v1::ReceiveDataResponse> From(Rig& rig, const v1::Socket& at, uint64_t offset, const std::string& more = "") {
  return rig.caller().Ask(&Stub::ReceiveData, rig.At(at) + "offset: " + std::to_string(offset) + " " + more);
}

bool IsReadable(Rig& rig, const v1::Socket& socket) {
  const std::string item = "items { condition: CONDITION_READABLE " + rig.At(socket) + "}";
  return !rig.caller().Ask(&Stub::AwaitSockets, item + "timeout {}")->timed_out();
}

void ReceiveAgain(Rig& rig) {
  const Pair pair = rig.Connected();
  rig.Send(pair.client, "abcdef");
  for (const bool again : {false, true}) {
    auto got = From(rig, pair.server, 0, "mode: MODE_WHOLE max_bytes: 4");
    EXPECT_EQ(got->data(), "abcd") << got;
    EXPECT_EQ(got->offset(), 0u);
    EXPECT_EQ(got->replayed(), again);
  }
  EXPECT_EQ(rig.Get(pair.server).counters().retained_bytes(), 4u);
  EXPECT_EQ(rig.caller().GetHost()->usage().retained_bytes(), 4u);
  EXPECT_EQ(From(rig, pair.server, 1, "peek: true")->data(), "bcd");
  ExpectOutOfRange(From(rig, pair.server, 5), "offset", 5, 0, 4);
  ExpectOutOfRange(From(rig, pair.server, 5, "peek: true"), "offset", 5, 0, 4);
  EXPECT_EQ(From(rig, pair.server, 4)->data(), "ef");
  ExpectOutOfRange(From(rig, pair.server, 3), "offset", 3, 4, 6);
  // Kept and not acknowledged is readable; a receive that acknowledges it ends that.
  EXPECT_TRUE(IsReadable(rig, pair.server));
  EXPECT_TRUE(From(rig, pair.server, 6, "timeout {}")->timed_out());
  EXPECT_FALSE(IsReadable(rig, pair.server));
  EXPECT_EQ(rig.Get(pair.server).counters().bytes_received(), 6u);
  EXPECT_EQ(rig.caller().GetHost()->usage().retained_bytes(), 0u);
  rig.ClosePair(pair);
}

void ReceiveAgainAfterCancel(Rig& rig) {
  const Pair pair = rig.Connected();
  rig.Send(pair.client, "abc");
  EXPECT_EQ(From(rig, pair.server, 0)->data(), "abc");
  auto whole =
      rig.caller().Start(&AsyncStub::ReceiveData, rig.At(pair.server) + "offset: 1 mode: MODE_WHOLE max_bytes: 9");
  EXPECT_TRUE(rig.Waits(pair.server, 1));
  rig.Send(pair.client, "def");
  whole.Cancel();
  EXPECT_EQ(whole.Wait().status.error_code(), StatusCode::CANCELLED);
  EXPECT_TRUE(rig.Waits(pair.server, 0));
  const auto got = From(rig, pair.server, 1, "mode: MODE_WHOLE max_bytes: 5");
  EXPECT_EQ(got->data(), "bcdef");
  EXPECT_TRUE(got->replayed());
  rig.ClosePair(pair);
}

void OffsetAtTheEnd(Rig& rig) {
  const Pair pair = rig.Connected();
  rig.Send(pair.client, "abc");
  rig.Close({pair.client});
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(From(rig, pair.server, 0)->data(), "abc");
  }
  for (int i = 0; i < 2; ++i) {
    const auto end = From(rig, pair.server, 3);
    EXPECT_TRUE(Ok(end));
    EXPECT_TRUE(end->end_of_stream());
    EXPECT_EQ(end->offset(), 3u);
  }
  rig.Close({pair.server});
}

void OffsetOfAReset(Rig& rig) {
  const Pair pair = rig.Connected();
  rig.Send(pair.client, "abc");
  rig.Send(pair.server, "never read");
  EXPECT_EQ(From(rig, pair.server, 0)->data(), "abc");
  EXPECT_EQ(rig.Receive(pair.client, "peek: true max_bytes: 1"), "n") << "it is there";
  rig.Close({pair.client});  // with data unread: a reset
  for (int i = 0; i < 2; ++i) {
    EXPECT_TRUE(Fails(From(rig, pair.server, 3), StatusCode::ABORTED, "ECONNRESET")) << i;
  }
  EXPECT_EQ(rig.Get(pair.server).state(), v1::STATE_DISCONNECTED);
  auto past = rig.caller().Ask(&Stub::ReceiveData, rig.At(pair.server));
  EXPECT_TRUE(past->end_of_stream()) << past;
  rig.Close({pair.server});
}

void OffsetOfTheNextConnection(Rig& rig) {
  const Pair pair = rig.Connected();
  rig.Send(pair.client, "out");
  rig.Send(pair.server, "in");
  EXPECT_EQ(From(rig, pair.client, 0)->data(), "in");
  EXPECT_TRUE(Ok(rig.caller().Ask(&Stub::ConnectSocket, rig.At(pair.client) + "disconnect: true")));
  EXPECT_EQ(rig.Get(pair.client).counters().retained_bytes(), 0u);
  const v1::Socket listener = rig.Listener();
  EXPECT_TRUE(Ok(rig.caller().Ask(&Stub::ConnectSocket, rig.At(pair.client) + "peer { " + rig.Reach(listener) + " }")));
  const v1::Socket next = rig.Accept(listener);
  ExpectOutOfRange(From(rig, pair.client, 2, "timeout {}"), "offset", 2, 0, 0);
  auto sent = rig.caller().Ask(&Stub::SendData, rig.At(pair.client) + "offset: 0 data: 'again'");
  EXPECT_EQ(sent->next_offset(), 5u) << sent;
  EXPECT_EQ(rig.Receive(next), "again");
  rig.Close({pair.client, pair.server, listener, next});
}

void SendAgain(Rig& rig) {
  const Pair pair = rig.Connected();
  const auto send = [&](const std::string& more) {
    return rig.caller().Ask(&Stub::SendData, rig.At(pair.client) + more);
  };
  EXPECT_EQ(send("data: 'abc' offset: 0")->next_offset(), 3u);
  const auto more = send("data: 'abcdef' offset: 0");
  EXPECT_EQ(more->bytes_sent(), 6u);
  EXPECT_EQ(more->bytes_skipped(), 3u);
  EXPECT_EQ(more->next_offset(), 6u);
  ExpectOutOfRange(send("data: 'x' offset: 7"), "offset", 7, 0, 6);
  EXPECT_EQ(rig.Get(pair.client).counters().bytes_sent(), 6u);
  EXPECT_TRUE(Ok(rig.caller().Ask(&Stub::ShutdownSocket, rig.At(pair.client) + "direction: DIRECTION_WRITE")));
  EXPECT_EQ(send("data: 'def' offset: 3")->bytes_skipped(), 3u) << "it needs no connection";
  const auto late = send("data: 'defg' offset: 3");
  EXPECT_EQ(late.problem().reason, "EPIPE");
  EXPECT_EQ(late.problem().error.bytes_done(), 3u);
  EXPECT_EQ(rig.Receive(pair.server, "mode: MODE_WHOLE max_bytes: 7"), "abcdef");
  rig.ClosePair(pair);
}

void ReceiveRecordsAgain(Rig& rig) {
  const Pair pair = rig.Connected();
  for (const std::string payload : {"one", "two", "three"}) rig.Send(pair.client, payload);
  const auto receive = [&](uint64_t sequence, const std::string& more = "max_datagrams: 2 mode: MODE_WHOLE ") {
    return rig.caller().Ask(&Stub::ReceiveDatagrams,
                            rig.At(pair.server) + more + "sequence: " + std::to_string(sequence));
  };
  for (const bool again : {false, true}) {
    const auto got = receive(0);
    ASSERT_EQ(got->datagrams_size(), 2) << got;
    EXPECT_EQ(got->datagrams(1).payload(), "two");
    EXPECT_EQ(got->replayed(), again);
  }
  ExpectOutOfRange(receive(3), "sequence", 3, 0, 2);
  EXPECT_EQ(receive(1, "peek: true ")->datagrams(0).payload(), "two");
  const auto next = receive(2, "max_bytes: 2 ");
  EXPECT_EQ(next->datagrams(0).payload(), "th");
  EXPECT_EQ(next->sequence(), 2u);
  ExpectOutOfRange(receive(1), "sequence", 1, 2, 3);
  const auto cut = receive(2, "");
  EXPECT_EQ(cut->datagrams(0).payload(), "th");
  EXPECT_TRUE(cut->datagrams(0).truncated());
  EXPECT_EQ(cut->datagrams(0).true_size(), 5u);
  EXPECT_EQ(rig.Get(pair.server).counters().retained_bytes(), 2u);
  EXPECT_EQ(rig.caller().GetHost()->usage().retained_bytes(), 258u);
  EXPECT_TRUE(receive(3, "timeout {} ")->timed_out());
  EXPECT_EQ(rig.caller().GetHost()->usage().retained_bytes(), 0u);
  rig.ClosePair(pair);
}

void SendRecordsAgain(Rig& rig) {
  const Pair pair = rig.Connected();
  const auto send = [&](const std::string& more) {
    return rig.caller().Ask(&Stub::SendDatagrams, rig.At(pair.client) + more);
  };
  EXPECT_EQ(send("datagrams { payload: 'a' } sequence: 0")->next_sequence(), 1u);
  const auto more = send("datagrams { payload: 'a' } datagrams { payload: 'b' } sequence: 0");
  EXPECT_EQ(more->datagrams_sent(), 2u);
  EXPECT_EQ(more->datagrams_skipped(), 1u);
  EXPECT_EQ(more->next_sequence(), 2u);
  ExpectOutOfRange(send("datagrams { payload: 'x' } sequence: 3"), "sequence", 3, 0, 2);
  EXPECT_EQ(rig.Receive(pair.server), "a");
  EXPECT_EQ(rig.Receive(pair.server), "b");
  EXPECT_EQ(rig.Get(pair.client).counters().datagrams_sent(), 2u);
  rig.ClosePair(pair);
}

void AcceptAgain(Rig& rig) {
  const v1::Socket listener = rig.Listener();
  const v1::Socket client = rig.ClientOf(listener), second = rig.ClientOf(listener);
  const auto accept = [&](const std::string& more) {
    return rig.caller().Ask(&Stub::AcceptSocket, rig.At(listener) + more);
  };
  ExpectOutOfRange(accept("sequence: 1"), "sequence", 1, 0, 0);
  // A name that cannot be had: the connection is not lost, and await knows of it.
  EXPECT_TRUE(Fails(accept("sequence: 0 socket_id: '" + client.name().substr(8) + "'"), StatusCode::ALREADY_EXISTS,
                    "SOCKET_EXISTS"));
  EXPECT_TRUE(IsReadable(rig, listener));
  const auto first = accept("sequence: 0 socket_id: 'conn' labels { key: 'n' value: '1' }");
  ASSERT_TRUE(Ok(first));
  EXPECT_FALSE(first->replayed());
  const auto again = accept("sequence: 0 socket_id: 'conn'");
  EXPECT_TRUE(again->replayed()) << again;
  EXPECT_EQ(again->socket().uid(), first->socket().uid());
  EXPECT_EQ(again->socket().labels().at("n"), "1");
  rig.Send(client, "to the first");
  EXPECT_EQ(rig.Receive(first->socket()), "to the first");
  rig.Close({first->socket()});
  const auto closed = accept("sequence: 0");
  EXPECT_EQ(closed->socket().uid(), first->socket().uid()) << closed;
  EXPECT_EQ(closed->socket().state(), v1::STATE_CLOSED);
  const auto next = accept("");
  EXPECT_EQ(next->sequence(), 1u) << next;
  ExpectOutOfRange(accept("sequence: 1"), "sequence", 1, 2, 2);
  EXPECT_TRUE(accept("sequence: 2 timeout {}")->timed_out());
  EXPECT_EQ(rig.Get(listener).counters().accepted(), 2u);
  rig.Close({client, second, next->socket(), listener});
}

}  // namespace

std::vector<Operation> OffsetOperations() {
  return {
      {"offset: receive again", Streams, ReceiveAgain},
      {"offset: after a cancel", Streams, ReceiveAgainAfterCancel},
      {"offset: at the end", Streams, OffsetAtTheEnd},
      {"offset: of a reset", Tcp, OffsetOfAReset},
      {"offset: next connection", Tcp, OffsetOfTheNextConnection},
      {"offset: send again", Streams, SendAgain},
      {"sequence: receive again", Records, ReceiveRecordsAgain},
      {"sequence: send again", Records, SendRecordsAgain},
      {"sequence: accept again", Connections, AcceptAgain},
  };
}

}  // namespace socketeer::contract
