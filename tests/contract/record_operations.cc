// Datagrams and records.
#include "tests/contract/operations.h"

namespace socketeer::contract {
namespace {

using grpc::StatusCode;

// An empty datagram is a datagram, not the end.
void ZeroLength(Rig& rig) {
  const Pair pair = rig.Connected();
  auto sent = rig.caller().Ask(&Stub::SendDatagrams,
                               rig.At(pair.client) + "datagrams {} datagrams { payload: 'x' } datagrams {}");
  EXPECT_TRUE(Ok(sent));
  EXPECT_EQ(sent->datagrams_sent(), 3u);
  auto peeked = rig.caller().Ask(&Stub::ReceiveDatagrams, rig.At(pair.server) + "peek: true");
  ASSERT_EQ(peeked->datagrams_size(), 1) << peeked;
  auto received = rig.caller().Ask(&Stub::ReceiveDatagrams, rig.At(pair.server) + "mode: MODE_WHOLE max_datagrams: 3");
  ASSERT_EQ(received->datagrams_size(), 3) << received;
  EXPECT_EQ(received->datagrams(0).payload(), "");
  EXPECT_EQ(received->datagrams(0).true_size(), 0u);
  EXPECT_FALSE(received->datagrams(0).truncated());
  EXPECT_EQ(received->datagrams(1).payload(), "x");
  EXPECT_FALSE(received->end_of_stream());
  rig.Close({pair.client});
  if (rig.kind().IsSeqpacket()) {
    auto end = rig.caller().Ask(&Stub::ReceiveDatagrams, rig.At(pair.server));
    EXPECT_TRUE(Ok(end));
    EXPECT_TRUE(end->end_of_stream());
    EXPECT_EQ(end->datagrams_size(), 0);
  }
  rig.Close({pair.server});
}

void Truncation(Rig& rig) {
  const Pair pair = rig.Connected();
  rig.Send(pair.client, std::string(100, 'l'));
  rig.Send(pair.client, "next");
  auto peeked = rig.caller().Ask(&Stub::ReceiveDatagrams, rig.At(pair.server) + "max_bytes: 3 peek: true");
  ASSERT_EQ(peeked->datagrams_size(), 1) << peeked;
  EXPECT_EQ(peeked->datagrams(0).true_size(), 100u);
  auto cut = rig.caller().Ask(&Stub::ReceiveDatagrams, rig.At(pair.server) + "max_bytes: 10");
  ASSERT_EQ(cut->datagrams_size(), 1) << cut;
  EXPECT_EQ(cut->datagrams(0).payload(), std::string(10, 'l'));
  EXPECT_EQ(cut->datagrams(0).true_size(), 100u);
  EXPECT_TRUE(cut->datagrams(0).truncated());
  EXPECT_EQ(rig.Receive(pair.server), "next");  // the rest is lost, the next is not
  rig.ClosePair(pair);
}

void LargestDatagram(Rig& rig) {
  const Pair pair = rig.Connected("options { sndbuf: 300000 } ", "options { rcvbuf: 300000 } ");
  const std::string largest(rig.kind().IsUdp() ? 65'507 : 65'536, 'm');
  rig.Send(pair.client, largest);
  EXPECT_EQ(rig.Receive(pair.server), largest);
  if (rig.kind().IsUdp()) {
    v1::SendDatagramsRequest request;
    request.set_name(pair.client.name());
    request.add_datagrams()->set_payload("goes");
    request.add_datagrams()->set_payload(std::string(70'000, 'm'));
    auto reply = rig.caller().Ask(&Stub::SendDatagrams, request);
    EXPECT_TRUE(Fails(reply, StatusCode::INVALID_ARGUMENT, "EMSGSIZE"));
    EXPECT_EQ(reply.problem().error.datagrams_done(), 1u);
    EXPECT_EQ(reply.problem().error.bytes_done(), 4u);
  }
  rig.ClosePair(pair);
}

// Each says where it comes from, and with UDP where it went.
void SourceAndDestination(Rig& rig) {
  const v1::Socket server = rig.Bound();
  const v1::Socket client = rig.Bound();
  auto sent = rig.caller().Ask(&Stub::SendDatagrams,
                               rig.At(client) + "datagrams { payload: 'q' destination { " + rig.Reach(server) + " } }");
  EXPECT_TRUE(Ok(sent));
  auto received = rig.caller().Ask(&Stub::ReceiveDatagrams, rig.At(server));
  ASSERT_EQ(received->datagrams_size(), 1) << received;
  const v1::IncomingDatagram& datagram = received->datagrams(0);
  if (rig.kind().IsUdp()) {
    EXPECT_EQ(datagram.source().inet().port(), client.local().inet().port());
    EXPECT_EQ(datagram.destination_ip(), rig.kind().address == Kind::Address::kInet6  ? "::1"
                                         : rig.kind().address == Kind::Address::kBoth ? "::ffff:127.0.0.1"
                                                                                      : "127.0.0.1");
  } else {
    EXPECT_EQ(datagram.source().ShortDebugString(), client.local().ShortDebugString());
    EXPECT_EQ(datagram.destination_ip(), "");
  }
  // The source is a destination for the answer.
  auto answer = rig.caller().Ask(&Stub::SendDatagrams, rig.At(server) + "datagrams { payload: 'a' destination { " +
                                                           datagram.source().ShortDebugString() + " } }");
  EXPECT_TRUE(Ok(answer));
  EXPECT_EQ(rig.Receive(client), "a");
  rig.Close({server, client});
}

// Without a bind: UDP gets a port by sending, a UNIX socket stays without a name.
void ImplicitBind(Rig& rig) {
  const v1::Socket server = rig.Bound();
  const v1::Socket client = rig.Open();
  auto sent = rig.caller().Ask(&Stub::SendDatagrams,
                               rig.At(client) + "datagrams { payload: 'q' destination { " + rig.Reach(server) + " } }");
  EXPECT_TRUE(Ok(sent));
  const v1::Socket now = rig.Get(client);
  EXPECT_EQ(now.state(), rig.kind().IsUdp() ? v1::STATE_BOUND : v1::STATE_CREATED);
  EXPECT_EQ(now.has_local(), rig.kind().IsUdp());
  auto received = rig.caller().Ask(&Stub::ReceiveDatagrams, rig.At(server));
  ASSERT_EQ(received->datagrams_size(), 1);
  EXPECT_EQ(received->datagrams(0).has_source(), rig.kind().IsUdp());
  if (rig.kind().IsUdp()) {
    EXPECT_EQ(received->datagrams(0).source().inet().port(), now.local().inet().port());
  }
  rig.Close({server, client});
}

// Many in one call, in order; more than a UNIX queue holds, so that the call waits and goes on.
void ManyInOneCall(Rig& rig) {
  const Pair pair = rig.Connected();
  constexpr int kCount = 200;
  v1::SendDatagramsRequest request;
  request.set_name(pair.client.name());
  request.set_mode(v1::MODE_WHOLE);
  for (int i = 0; i < kCount; ++i) request.add_datagrams()->set_payload("number " + std::to_string(i));
  auto receive = rig.caller().Start(&AsyncStub::ReceiveDatagrams,
                                    rig.At(pair.server) + "mode: MODE_WHOLE max_datagrams: " + std::to_string(kCount));
  auto sent = rig.caller().Ask(&Stub::SendDatagrams, request);
  EXPECT_TRUE(Ok(sent));
  EXPECT_EQ(sent->datagrams_sent(), static_cast<uint32_t>(kCount));
  auto received = receive.Wait();
  ASSERT_EQ(received->datagrams_size(), kCount);
  for (int i = 0; i < kCount; ++i) EXPECT_EQ(received->datagrams(i).payload(), "number " + std::to_string(i));
  rig.ClosePair(pair);
}

void RecordModes(Rig& rig) {
  const Pair pair = rig.Connected();
  for (const char* payload : {"1", "2", "3"}) rig.Send(pair.client, payload);
  // What is there, at least one; then, with WHOLE, at least so many.
  auto some = rig.caller().Ask(&Stub::ReceiveDatagrams, rig.At(pair.server) + "max_datagrams: 2");
  EXPECT_EQ(some->datagrams_size(), 2) << some;
  auto rest = rig.caller().Start(&AsyncStub::ReceiveDatagrams,
                                 rig.At(pair.server) + "mode: MODE_WHOLE min_datagrams: 2 max_datagrams: 10");
  EXPECT_TRUE(rig.Waits(pair.server, 1));
  rig.Send(pair.client, "4");
  auto two = rest.Wait();
  ASSERT_EQ(two->datagrams_size(), 2) << two;
  EXPECT_EQ(two->datagrams(0).payload() + two->datagrams(1).payload(), "34");
  rig.Send(pair.client, "5");
  auto part = rig.caller().Ask(&Stub::ReceiveDatagrams,
                               rig.At(pair.server) + "mode: MODE_WHOLE max_datagrams: 3 timeout { nanos: 20000000 }");
  EXPECT_TRUE(Ok(part));
  EXPECT_TRUE(part->timed_out());
  EXPECT_EQ(part->datagrams_size(), 1);
  rig.ClosePair(pair);
}

// To nobody: the kernel's error, and nothing counted.
void SendToNobody(Rig& rig) {
  const v1::Socket gone = rig.Bound();
  const v1::Socket client = rig.Bound();
  const std::string send = rig.At(client) + "datagrams { payload: 'x' destination { " + rig.Reach(gone) + " } }";
  rig.Close({gone});
  auto reply = rig.caller().Ask(&Stub::SendDatagrams, send);
  if (rig.kind().IsUdp()) {
    EXPECT_TRUE(Ok(reply));  // UDP does not know
  } else {
    const bool path = rig.kind().address == Kind::Address::kPath;
    EXPECT_TRUE(
        Fails(reply, path ? StatusCode::NOT_FOUND : StatusCode::FAILED_PRECONDITION, path ? "ENOENT" : "ECONNREFUSED"));
    EXPECT_EQ(reply.problem().error.datagrams_done(), 0u);
    EXPECT_EQ(reply.problem().error.peer().ShortDebugString(), gone.local().ShortDebugString());
  }
  rig.Close({client});
}

}  // namespace

std::vector<Operation> RecordOperations() {
  return {
      {"record: zero length", Records, ZeroLength},      {"record: truncation", Records, Truncation},
      {"record: largest", Records, LargestDatagram},     {"record: many in one call", Records, ManyInOneCall},
      {"record: modes", Records, RecordModes},           {"dgram: addresses", Datagrams, SourceAndDestination},
      {"dgram: implicit bind", Datagrams, ImplicitBind}, {"dgram: to nobody", Datagrams, SendToNobody},
  };
}

}  // namespace socketeer::contract
