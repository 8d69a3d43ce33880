// How connections are made, shut down and broken.
#include "tests/contract/operations.h"

namespace socketeer::contract {
namespace {

using grpc::StatusCode;

void Connect(Rig& rig) {
  const v1::Socket target = rig.kind().HasConnections() ? rig.Listener() : rig.Bound();
  const v1::Socket socket = rig.Open();
  auto reply = rig.caller().Ask(&Stub::ConnectSocket, rig.At(socket) + "peer { " + rig.Reach(target) + " }");
  ASSERT_TRUE(Ok(reply));
  EXPECT_FALSE(reply->timed_out());
  EXPECT_EQ(reply->socket().state(), v1::STATE_CONNECTED);
  EXPECT_TRUE(reply->socket().has_peer());
  EXPECT_EQ(reply->socket().has_local(), rig.kind().IsInet()) << reply;
  rig.Close({socket, target});
}

// EXACT gives EINPROGRESS as it comes; calling again goes on waiting for the result.
void ConnectExact(Rig& rig) {
  const v1::Socket target = rig.kind().HasConnections() ? rig.Listener() : rig.Bound();
  const v1::Socket socket = rig.Open();
  const std::string request = rig.At(socket) + "peer { " + rig.Reach(target) + " } ";
  auto reply = rig.caller().Ask(&Stub::ConnectSocket, request + "mode: MODE_EXACT");
  if (!reply.ok()) {
    EXPECT_TRUE(rig.kind().IsTcp());
    EXPECT_TRUE(Fails(reply, StatusCode::FAILED_PRECONDITION, "EINPROGRESS"));
    auto settled = rig.caller().Ask(
        &Stub::AwaitSockets, "items { condition: CONDITION_CONNECTED " + rig.At(socket) + " } timeout { seconds: 20 }");
    EXPECT_TRUE(Ok(settled));
    EXPECT_FALSE(settled->timed_out());
  }
  EXPECT_EQ(rig.Get(socket).state(), v1::STATE_CONNECTED);
  rig.Close({socket, target});
}

// Nobody listens there.
void ConnectRefused(Rig& rig) {
  const v1::Socket target = rig.Bound();  // not listening
  const v1::Socket socket = rig.Open();
  auto reply = rig.caller().Ask(&Stub::ConnectSocket, rig.At(socket) + "peer { " + rig.Reach(target) + " }");
  EXPECT_TRUE(Fails(reply, StatusCode::FAILED_PRECONDITION, "ECONNREFUSED"));
  EXPECT_EQ(reply.problem().error.system_call(), "connect");
  EXPECT_EQ(reply.problem().error.errno_number(), ECONNREFUSED);
  EXPECT_TRUE(reply.problem().error.has_peer());
  auto open = rig.caller().Ask(&Stub::OpenSocket, rig.Make() + "connect { " + rig.Reach(target) + " }");
  EXPECT_TRUE(Fails(open, StatusCode::FAILED_PRECONDITION, "ECONNREFUSED"));
  EXPECT_EQ(open.problem().error.operation(), "connect");
  rig.Close({socket, target});
}

void Disconnect(Rig& rig) {
  const Pair pair = rig.Connected();
  auto reply = rig.caller().Ask(&Stub::ConnectSocket, rig.At(pair.client) + "disconnect: true");
  ASSERT_TRUE(Ok(reply));
  EXPECT_FALSE(reply->socket().has_peer());
  EXPECT_NE(reply->socket().state(), v1::STATE_CONNECTED);
  if (rig.kind().IsTcp()) {
    auto reset = rig.caller().Ask(&Stub::ReceiveData, rig.At(pair.server));
    EXPECT_TRUE(Fails(reset, StatusCode::ABORTED, "ECONNRESET"));
  }
  // It can connect anew.
  const v1::Socket target = rig.kind().HasConnections() ? rig.Listener() : rig.Bound();
  auto again = rig.caller().Ask(&Stub::ConnectSocket, rig.At(pair.client) + "peer { " + rig.Reach(target) + " }");
  EXPECT_TRUE(Ok(again));
  EXPECT_EQ(again->socket().state(), v1::STATE_CONNECTED);
  rig.ClosePair(pair);
  rig.Close({target});
}

void Accept(Rig& rig) {
  const v1::Socket listener = rig.Listener();
  auto nobody = rig.caller().Ask(&Stub::AcceptSocket, rig.At(listener) + "mode: MODE_EXACT socket_id: 'conn'");
  EXPECT_TRUE(Fails(nobody, StatusCode::FAILED_PRECONDITION, "EAGAIN"));
  auto timed_out = rig.caller().Ask(&Stub::AcceptSocket, rig.At(listener) + "timeout {} socket_id: 'conn'");
  EXPECT_TRUE(Ok(timed_out));
  EXPECT_TRUE(timed_out->timed_out());
  EXPECT_FALSE(timed_out->has_socket());

  auto waiting = rig.caller().Start(&AsyncStub::AcceptSocket,
                                    rig.At(listener) + "socket_id: 'conn' labels { key: 'n' value: '1' }");
  EXPECT_TRUE(rig.Waits(listener, 1));
  // Taken from the moment of the call; not seen before it is there.
  EXPECT_TRUE(Fails(rig.caller().Ask(&Stub::OpenSocket, rig.Make() + "socket_id: 'conn'"), StatusCode::ALREADY_EXISTS,
                    "SOCKET_EXISTS"));
  EXPECT_TRUE(
      Fails(rig.caller().Ask(&Stub::GetSocket, "name: 'sockets/conn'"), StatusCode::NOT_FOUND, "SOCKET_NOT_FOUND"));
  const v1::Socket client = rig.ClientOf(listener);
  auto accepted = waiting.Wait();
  ASSERT_TRUE(Ok(accepted));
  const v1::Socket& conn = accepted->socket();
  EXPECT_EQ(conn.name(), "sockets/conn");
  EXPECT_EQ(conn.labels().at("n"), "1");
  EXPECT_EQ(conn.state(), v1::STATE_CONNECTED);
  EXPECT_EQ(conn.kind(), rig.kind().word);
  EXPECT_EQ(rig.Get(listener).counters().accepted(), 1u);

  const v1::Socket second = rig.ClientOf(listener);
  auto exact = rig.caller().Ask(&Stub::AcceptSocket, rig.At(listener) + "mode: MODE_EXACT");
  EXPECT_TRUE(Ok(exact));
  rig.Close({second, exact->socket(), client, conn, listener});
}

void Addresses(Rig& rig) {
  const v1::Socket listener = rig.Listener();
  const v1::Socket client = rig.Open("bind { " + rig.Fresh() + " } connect { " + rig.Reach(listener) + " }");
  const v1::Socket server = rig.Accept(listener);
  EXPECT_EQ(server.peer().ShortDebugString(), client.local().ShortDebugString());
  EXPECT_EQ(client.peer().ShortDebugString(), server.local().ShortDebugString());
  if (rig.kind().address == Kind::Address::kBoth) {
    EXPECT_EQ(server.peer().inet().ip(), "::ffff:127.0.0.1");
  }
  rig.Close({client, server, listener});
}

v1::ShutdownSocketResponse Shutdown(Rig& rig, const v1::Socket& socket, const std::string& direction) {
  auto reply = rig.caller().Ask(&Stub::ShutdownSocket, rig.At(socket) + "direction: DIRECTION_" + direction);
  EXPECT_TRUE(Ok(reply));
  return *reply;
}

void ShutdownRead(Rig& rig) {
  const Pair pair = rig.Connected();
  const auto reply = Shutdown(rig, pair.server, "READ");
  EXPECT_TRUE(reply.socket().read_shutdown());
  EXPECT_FALSE(reply.socket().write_shutdown());
  if (rig.kind().HasConnections()) {
    EXPECT_EQ(rig.Receive(pair.server), std::nullopt);
  }
  rig.Send(pair.server, "still");
  EXPECT_EQ(rig.Receive(pair.client), "still");
  rig.ClosePair(pair);
}

void ShutdownWrite(Rig& rig) {
  const Pair pair = rig.Connected();
  const auto reply = Shutdown(rig, pair.client, "WRITE");
  EXPECT_FALSE(reply.socket().read_shutdown());
  EXPECT_TRUE(reply.socket().write_shutdown());
  const auto problem = testing::ProblemOf(rig.TrySend(pair.client));
  EXPECT_EQ(problem.code, StatusCode::FAILED_PRECONDITION);  // by the state, not by the peer
  EXPECT_EQ(problem.reason, "EPIPE");
  if (rig.kind().HasConnections()) {
    EXPECT_EQ(rig.Receive(pair.server), std::nullopt);
  }
  rig.ClosePair(pair);
}

void ShutdownBoth(Rig& rig) {
  const Pair pair = rig.Connected();
  const auto reply = Shutdown(rig, pair.client, "BOTH");
  EXPECT_TRUE(reply.socket().read_shutdown());
  EXPECT_TRUE(reply.socket().write_shutdown());
  if (rig.kind().HasConnections()) {
    EXPECT_EQ(rig.Receive(pair.client), std::nullopt);
    EXPECT_EQ(rig.Receive(pair.server), std::nullopt);
  }
  rig.ClosePair(pair);
}

// Half-close is not close: the other direction goes on (lima #5329, frp #4967, smokescreen #111).
void HalfClose(Rig& rig) {
  const Pair pair = rig.Connected();
  rig.Send(pair.client, "question");
  Shutdown(rig, pair.client, "WRITE");
  EXPECT_EQ(rig.Receive(pair.server), "question");
  EXPECT_EQ(rig.Receive(pair.server), std::nullopt);
  rig.Send(pair.server, "answer");
  EXPECT_EQ(rig.Receive(pair.client), "answer");
  Shutdown(rig, pair.server, "WRITE");
  EXPECT_EQ(rig.Receive(pair.client), std::nullopt);
  rig.ClosePair(pair);
}

// The shutdown waits behind the sends that came before it (wasmtime PR 9225).
void ShutdownAfterSend(Rig& rig) {
  const std::string small = rig.kind().IsTcp() ? "options { sndbuf: 4096 rcvbuf: 4096 } " : "options { sndbuf: 4096 } ";
  const Pair pair = rig.Connected(small, small);
  v1::SendDataRequest request;
  request.set_name(pair.client.name());
  request.set_mode(v1::MODE_WHOLE);
  request.set_data(std::string(1 << 20, 'd'));
  auto send = rig.caller().Start(&AsyncStub::SendData, request);
  ASSERT_TRUE(rig.Waits(pair.client, 0, 1));
  auto in_time = rig.caller().Ask(&Stub::ShutdownSocket, rig.At(pair.client) + "direction: DIRECTION_WRITE timeout {}");
  EXPECT_TRUE(Ok(in_time));
  EXPECT_TRUE(in_time->timed_out());
  EXPECT_FALSE(in_time->socket().write_shutdown());
  auto shutdown = rig.caller().Start(&AsyncStub::ShutdownSocket, rig.At(pair.client) + "direction: DIRECTION_WRITE");
  ASSERT_TRUE(rig.Waits(pair.client, 0, 2));
  size_t received = 0;
  while (const auto data = rig.Receive(pair.server)) {
    received += data->size();
    if (data->empty()) break;
  }
  EXPECT_EQ(received, request.data().size());
  EXPECT_TRUE(Ok(send.Wait()));
  EXPECT_TRUE(Ok(shutdown.Wait()));
  rig.ClosePair(pair);
}

// A close with linger 0 resets, and the peer hears ECONNRESET, not an end.
void ResetByLinger(Rig& rig) {
  const Pair pair = rig.Connected("options { linger { enabled: true seconds: 0 } }");
  auto receive = rig.caller().Start(&AsyncStub::ReceiveData, rig.At(pair.server));
  EXPECT_TRUE(rig.Waits(pair.server, 1));
  rig.Close({pair.client});
  auto reset = receive.Wait();
  EXPECT_TRUE(Fails(reset, StatusCode::ABORTED, "ECONNRESET"));
  EXPECT_EQ(reset.problem().error.peer().ShortDebugString(), pair.client.local().ShortDebugString());
  EXPECT_EQ(reset.problem().error.state(), v1::STATE_DISCONNECTED);
  EXPECT_EQ(rig.Get(pair.server).state(), v1::STATE_DISCONNECTED);
  rig.Close({pair.server});
}

// As the kernel does: a close while something is unread resets.
void ResetByUnread(Rig& rig) {
  const Pair pair = rig.Connected();
  rig.Send(pair.client, "never read");
  auto there =
      rig.caller().Ask(&Stub::AwaitSockets, "items { condition: CONDITION_READABLE " + rig.At(pair.server) + " }");
  EXPECT_TRUE(Ok(there));
  rig.Close({pair.server});
  EXPECT_EQ(testing::ProblemOf(rig.TryReceive(pair.client, "")).reason, "ECONNRESET");
  rig.Close({pair.client});
}

}  // namespace

std::vector<Operation> ConnectionOperations() {
  return {
      {"connect", Always, Connect},
      {"connect: exact", Always, ConnectExact},
      {"connect: refused", Connections, ConnectRefused},
      {"disconnect", CanDisconnect, Disconnect},
      {"accept", Connections, Accept},
      {"accept: addresses", Connections, Addresses},
      {"shutdown read", Always, ShutdownRead},
      {"shutdown write", Always, ShutdownWrite},
      {"shutdown both", Always, ShutdownBoth},
      {"half-close", Connections, HalfClose},
      {"shutdown after send", Streams, ShutdownAfterSend},
      {"reset by linger 0", Tcp, ResetByLinger},
      {"reset by unread data", Connections, ResetByUnread},
  };
}

}  // namespace socketeer::contract
