// What is asked of sockets: conditions, options, labels, lists.
#include "tests/contract/operations.h"

namespace socketeer::contract {
namespace {

using grpc::StatusCode;

testing::Pending<v1::AwaitSocketsResponse> StartAwait(Rig& rig, const v1::Socket& socket,
                                                      const std::string& condition) {
  return rig.caller().Start(&AsyncStub::AwaitSockets,
                            "items { condition: CONDITION_" + condition + " " + rig.At(socket) + " }");
}

bool HoldsNow(Rig& rig, const v1::Socket& socket, const std::string& condition) {
  auto reply = rig.caller().Ask(&Stub::AwaitSockets,
                                "items { condition: CONDITION_" + condition + " " + rig.At(socket) + " } timeout {}");
  EXPECT_TRUE(Ok(reply));
  EXPECT_EQ(reply->timed_out(), reply->results().empty());
  return !reply->timed_out();
}

void ExpectHeld(const testing::Pending<v1::AwaitSocketsResponse>& await, const v1::Socket& socket, v1::State state) {
  auto reply = await.Wait();
  ASSERT_TRUE(Ok(reply));
  EXPECT_FALSE(reply->timed_out());
  ASSERT_EQ(reply->results_size(), 1);
  EXPECT_EQ(reply->results(0).index(), 0u);
  EXPECT_EQ(reply->results(0).socket().uid(), socket.uid());
  EXPECT_EQ(reply->results(0).socket().state(), state);
}

void AwaitListening(Rig& rig) {
  const v1::Socket socket = rig.Bound();
  EXPECT_FALSE(HoldsNow(rig, socket, "LISTENING"));
  auto await = StartAwait(rig, socket, "LISTENING");
  EXPECT_TRUE(Ok(rig.caller().Ask(&Stub::ListenSocket, rig.At(socket))));
  ExpectHeld(await, socket, v1::STATE_LISTENING);
  EXPECT_TRUE(HoldsNow(rig, socket, "LISTENING"));
  rig.Close({socket});
}

void AwaitConnected(Rig& rig) {
  const v1::Socket target = rig.kind().HasConnections() ? rig.Listener() : rig.Bound();
  const v1::Socket socket = rig.Open();
  EXPECT_FALSE(HoldsNow(rig, socket, "CONNECTED"));
  auto await = StartAwait(rig, socket, "CONNECTED");
  EXPECT_TRUE(Ok(rig.caller().Ask(&Stub::ConnectSocket, rig.At(socket) + "peer { " + rig.Reach(target) + " }")));
  ExpectHeld(await, socket, v1::STATE_CONNECTED);
  rig.Close({socket, target});
}

void AwaitReadable(Rig& rig) {
  const Pair pair = rig.Connected();
  EXPECT_FALSE(HoldsNow(rig, pair.server, "READABLE"));
  auto await = StartAwait(rig, pair.server, "READABLE");
  rig.Send(pair.client, "x");
  ExpectHeld(await, pair.server, v1::STATE_CONNECTED);
  EXPECT_TRUE(HoldsNow(rig, pair.server, "READABLE"));
  EXPECT_EQ(rig.Receive(pair.server), "x");
  EXPECT_FALSE(HoldsNow(rig, pair.server, "READABLE"));
  rig.ClosePair(pair);
}

void AwaitReadableBytes(Rig& rig) {
  const Pair pair = rig.Connected();
  const std::string item = "items { condition: CONDITION_READABLE readable_bytes: 10 " + rig.At(pair.server) + " }";
  auto await = rig.caller().Start(&AsyncStub::AwaitSockets, item);
  if (rig.kind().HasConnections()) {  // a datagram counts alone
    rig.Send(pair.client, "123");
    EXPECT_TRUE(HoldsNow(rig, pair.server, "READABLE"));
    auto too_few = rig.caller().Ask(&Stub::AwaitSockets, item + " timeout {}");
    EXPECT_TRUE(too_few->timed_out());
    EXPECT_FALSE(await.Ended());
    rig.Send(pair.client, "4567890");
  } else {
    rig.Send(pair.client, "1234567890");
  }
  ExpectHeld(await, pair.server, v1::STATE_CONNECTED);
  rig.ClosePair(pair);
}

// An accept would not wait.
void AwaitAcceptable(Rig& rig) {
  const v1::Socket listener = rig.Listener();
  EXPECT_FALSE(HoldsNow(rig, listener, "READABLE"));
  auto await = StartAwait(rig, listener, "READABLE");
  const v1::Socket client = rig.ClientOf(listener);
  ExpectHeld(await, listener, v1::STATE_LISTENING);
  const v1::Socket server = rig.Accept(listener, "mode: MODE_EXACT");
  rig.Close({client, server, listener});
}

void AwaitWritable(Rig& rig) {
  const Pair pair = rig.Connected();
  EXPECT_TRUE(HoldsNow(rig, pair.client, "WRITABLE"));
  rig.ClosePair(pair);
}

// Full, then drained.
void AwaitWritableAgain(Rig& rig) {
  const std::string small = rig.kind().IsTcp() ? "options { sndbuf: 4096 rcvbuf: 4096 } " : "options { sndbuf: 4096 } ";
  const Pair pair = rig.Connected(small, small);
  v1::SendDataRequest request;
  request.set_name(pair.client.name());
  request.set_mode(v1::MODE_WHOLE);
  request.set_data(std::string(1 << 20, 'f'));
  request.mutable_timeout()->set_nanos(20'000'000);
  auto filled = rig.caller().Ask(&Stub::SendData, request);
  EXPECT_TRUE(filled->timed_out());
  EXPECT_FALSE(HoldsNow(rig, pair.client, "WRITABLE"));
  auto await = StartAwait(rig, pair.client, "WRITABLE");
  size_t taken = 0;
  while (taken < filled->bytes_sent()) taken += rig.Receive(pair.server)->size();
  ExpectHeld(await, pair.client, v1::STATE_CONNECTED);
  rig.ClosePair(pair);
}

void AwaitPeerClosed(Rig& rig) {
  for (const bool half : {true, false}) {
    const Pair pair = rig.Connected();
    EXPECT_FALSE(HoldsNow(rig, pair.server, "PEER_CLOSED"));
    auto await = StartAwait(rig, pair.server, "PEER_CLOSED");
    if (half) {
      EXPECT_TRUE(Ok(rig.caller().Ask(&Stub::ShutdownSocket, rig.At(pair.client) + "direction: DIRECTION_WRITE")));
    } else {
      rig.Close({pair.client});
    }
    ExpectHeld(await, pair.server, v1::STATE_CONNECTED);
    rig.Close({pair.server});
    if (half) rig.Close({pair.client});
  }
}

void AwaitClosed(Rig& rig) {
  const v1::Socket socket = rig.Bound("socket_id: 'closing'");
  EXPECT_FALSE(HoldsNow(rig, socket, "CLOSED"));
  auto await = StartAwait(rig, socket, "CLOSED");
  rig.Close({socket});
  ExpectHeld(await, socket, v1::STATE_CLOSED);
  EXPECT_TRUE(HoldsNow(rig, socket, "CLOSED"));  // closed before the call
}

void GetAndList(Rig& rig) {
  const v1::Socket bound = rig.Bound("socket_id: 'a-bound' labels { key: 'list' value: 'a' }");
  const v1::Socket bare = rig.Open("socket_id: 'b-bare' labels { key: 'list' value: 'b' }");
  auto get = rig.caller().Ask(&Stub::GetSocket, rig.At(bound) + "uid: '" + bound.uid() + "'");
  EXPECT_EQ(get->ShortDebugString(), bound.ShortDebugString());
  EXPECT_TRUE(Fails(rig.caller().Ask(&Stub::GetSocket, rig.At(bound) + "uid: 'wrong'"), StatusCode::FAILED_PRECONDITION,
                    "UID_MISMATCH"));
  const auto names = [&](const std::string& filter) {
    auto reply = rig.caller().Ask(&Stub::ListSockets, "filter: '" + filter + "'");
    EXPECT_TRUE(Ok(reply));
    std::string all;
    for (const v1::Socket& socket : reply->sockets()) all += socket.name().substr(8) + " ";
    return all;
  };
  EXPECT_EQ(names(std::string("kind = ") + rig.kind().word), "a-bound b-bare ");
  EXPECT_EQ(names(std::string("kind != ") + rig.kind().word), "");
  EXPECT_EQ(names("state = BOUND"), "a-bound ");
  EXPECT_EQ(names("state = CREATED AND labels.list:*"), "b-bare ");
  EXPECT_EQ(names("labels.list = a"), "a-bound ");
  rig.Close({bound, bare});
}

void Labels(Rig& rig) {
  const v1::Socket socket = rig.Open("labels { key: 'keep' value: '1' } labels { key: 'drop' value: '2' }");
  auto one =
      rig.caller().Ask(&Stub::UpdateSocket, "socket { " + rig.At(socket) + " labels { key: 'new' value: '3' } } " +
                                                "update_mask { paths: 'labels.new' paths: 'labels.drop' }");
  ASSERT_TRUE(Ok(one));
  EXPECT_EQ(one->labels_size(), 2);
  EXPECT_EQ(one->labels().at("keep") + one->labels().at("new"), "13");
  auto all = rig.caller().Ask(&Stub::UpdateSocket, "socket { " + rig.At(socket) + " } update_mask { paths: 'labels' }");
  ASSERT_TRUE(Ok(all));
  EXPECT_EQ(all->labels_size(), 0);
  EXPECT_EQ(rig.Get(socket).labels_size(), 0);
  rig.Close({socket});
}

// Also guards: REUSEPORT nobody asked for (libkrun #860), options dropped in silence (libkrunfw #137).
void Options(Rig& rig) {
  const v1::Socket socket = rig.Open();
  auto fresh = rig.caller().Ask(&Stub::GetSocketOptions, rig.At(socket));
  ASSERT_TRUE(Ok(fresh));
  EXPECT_FALSE(fresh->reuseaddr());
  EXPECT_FALSE(fresh->reuseport());
  EXPECT_FALSE(fresh->keepalive());
  EXPECT_EQ(fresh->has_nodelay(), rig.kind().IsTcp());
  EXPECT_EQ(fresh->has_v6only(),
            rig.kind().address == Kind::Address::kInet6 || rig.kind().address == Kind::Address::kBoth);
  auto set = rig.caller().Ask(&Stub::SetSocketOptions,
                              rig.At(socket) +
                                  "options { rcvbuf: 20000 sndbuf: 30000 keepalive: true broadcast: true "
                                  "linger { enabled: true seconds: 7 } }");
  ASSERT_TRUE(Ok(set));
  EXPECT_EQ(set->rcvbuf(), 40'000);  // the kernel doubles it
  EXPECT_EQ(set->sndbuf(), 60'000);
  EXPECT_TRUE(set->keepalive());
  EXPECT_TRUE(set->broadcast());
  EXPECT_TRUE(set->linger().enabled());
  EXPECT_EQ(set->linger().seconds(), 7);
  auto get = rig.caller().Ask(&Stub::GetSocketOptions, rig.At(socket));
  EXPECT_EQ(get->ShortDebugString(), set->ShortDebugString());
  if (!rig.kind().IsTcp()) {
    auto nodelay = rig.caller().Ask(&Stub::SetSocketOptions, rig.At(socket) + "options { nodelay: true }");
    EXPECT_FALSE(nodelay.ok());
    EXPECT_EQ(nodelay.problem().error.origin(), v1::ORIGIN_KERNEL);
    EXPECT_EQ(nodelay.problem().Given("option"), "nodelay");
  }
  EXPECT_TRUE(Ok(rig.caller().Ask(&Stub::SetSocketOptions, rig.At(socket) + "options { linger {} }")));
  rig.Close({socket});
}

}  // namespace

std::vector<Operation> QueryOperations() {
  return {
      {"await LISTENING", Connections, AwaitListening},
      {"await CONNECTED", Always, AwaitConnected},
      {"await READABLE", Always, AwaitReadable},
      {"await READABLE, bytes", Always, AwaitReadableBytes},
      {"await READABLE, accept", Connections, AwaitAcceptable},
      {"await WRITABLE", Always, AwaitWritable},
      {"await WRITABLE again", Streams, AwaitWritableAgain},
      {"await PEER_CLOSED", Connections, AwaitPeerClosed},
      {"await CLOSED", Always, AwaitClosed},
      {"get, list", Always, GetAndList},
      {"update labels", Always, Labels},
      {"options", Always, Options},
  };
}

}  // namespace socketeer::contract
