// How sockets come to be and go.
#include <unistd.h>

#include <filesystem>

#include "tests/contract/operations.h"

namespace socketeer::contract {
namespace {

using grpc::StatusCode;

// Also guards: the address of port 0 not reported (libkrun #818).
void ExpectRealAddress(const Rig& rig, const v1::Socket& socket) {
  const v1::Endpoint& local = socket.local();
  switch (rig.kind().address) {
    case Kind::Address::kInet4:
      EXPECT_EQ(local.inet().ip(), "127.0.0.1");
      EXPECT_NE(local.inet().port(), 0u);
      break;
    case Kind::Address::kInet6:
      EXPECT_EQ(local.inet().ip(), "::1");
      EXPECT_NE(local.inet().port(), 0u);
      break;
    case Kind::Address::kBoth:
      EXPECT_EQ(local.inet().ip(), "::");
      EXPECT_NE(local.inet().port(), 0u);
      break;
    case Kind::Address::kPath:
      EXPECT_TRUE(std::filesystem::is_socket(local.unix_domain().path())) << local.ShortDebugString();
      break;
    case Kind::Address::kAbstract:
      EXPECT_TRUE(local.unix_domain().has_abstract_name()) << local.ShortDebugString();
      break;
  }
}

void OpenBare(Rig& rig) {
  const v1::Socket socket = rig.Open();
  EXPECT_TRUE(socket.name().starts_with("sockets/"));
  EXPECT_FALSE(socket.uid().empty());
  EXPECT_EQ(socket.kind(), rig.kind().word);
  EXPECT_EQ(v1::SocketType_Name(socket.type()), rig.kind().type);
  EXPECT_EQ(socket.state(), v1::STATE_CREATED);
  EXPECT_EQ(socket.owner(), "uid:" + std::to_string(getuid()));
  EXPECT_FALSE(socket.has_local());
  EXPECT_FALSE(socket.has_peer());
  EXPECT_GT(socket.create_time().seconds(), 1'600'000'000);
  rig.Close({socket});
}

void OpenBind(Rig& rig) {
  const v1::Socket socket = rig.Bound();
  EXPECT_EQ(socket.state(), v1::STATE_BOUND);
  ExpectRealAddress(rig, socket);
  rig.Close({socket});
  if (rig.kind().address == Kind::Address::kPath) {
    EXPECT_FALSE(std::filesystem::exists(socket.local().unix_domain().path()));
  }
}

// The family follows the address.
void OpenFamilyLeftOpen(Rig& rig) {
  auto reply =
      rig.caller().Ask(&Stub::OpenSocket, std::string("type: ") + rig.kind().type + " bind { " + rig.Fresh() + " }");
  ASSERT_TRUE(Ok(reply));
  EXPECT_EQ(reply->socket().state(), v1::STATE_BOUND);
  ExpectRealAddress(rig, reply->socket());
  const bool inet6 = rig.kind().address == Kind::Address::kInet6;  // v6only is the kernel's default here
  if (!inet6) {
    EXPECT_EQ(reply->socket().kind(), rig.kind().word);
  }
  rig.Close({reply->socket()});
}

void OpenListen(Rig& rig) {
  const v1::Socket socket = rig.Listener();
  EXPECT_EQ(socket.state(), v1::STATE_LISTENING);
  ExpectRealAddress(rig, socket);
  rig.Close({socket});
}

void OpenConnect(Rig& rig) {
  const v1::Socket target = rig.kind().HasConnections() ? rig.Listener() : rig.Bound();
  const v1::Socket socket = rig.ClientOf(target);
  EXPECT_EQ(socket.state(), v1::STATE_CONNECTED);
  EXPECT_TRUE(socket.has_peer());
  if (rig.kind().IsInet()) {
    EXPECT_EQ(socket.peer().inet().port(), target.local().inet().port());
  }
  if (rig.kind().IsUnix()) {
    EXPECT_EQ(socket.peer().ShortDebugString(), target.local().ShortDebugString());
  }
  rig.Close({socket, target});
}

void OpenBindConnect(Rig& rig) {
  const Pair pair = rig.Connected("", "");
  const v1::Socket target = rig.kind().HasConnections() ? rig.Listener() : rig.Bound();
  const v1::Socket socket = rig.Open("bind { " + rig.Fresh() + " } connect { " + rig.Reach(target) + " }");
  EXPECT_EQ(socket.state(), v1::STATE_CONNECTED);
  EXPECT_TRUE(socket.has_local());
  rig.Close({socket, target});
  rig.ClosePair(pair);
}

// A step that fails leaves nothing behind, and the error names it.
void OpenIsAtomic(Rig& rig) {
  const v1::Socket taken = rig.Bound();
  const std::string bind = rig.kind().address == Kind::Address::kBoth
                               ? "named { port: " + std::to_string(taken.local().inet().port()) + " }"
                               : taken.local().ShortDebugString();
  auto reply = rig.caller().Ask(&Stub::OpenSocket, rig.Make() + "socket_id: 'second' bind { " + bind + " }");
  EXPECT_TRUE(Fails(reply, StatusCode::ALREADY_EXISTS, "EADDRINUSE"));
  const auto error = reply.problem().error;
  EXPECT_EQ(error.operation(), "bind");
  EXPECT_EQ(error.system_call(), "bind");
  EXPECT_EQ(error.errno_name(), "EADDRINUSE");
  EXPECT_EQ(error.origin(), v1::ORIGIN_KERNEL);
  EXPECT_EQ(error.local().ShortDebugString(), taken.local().ShortDebugString());
  EXPECT_TRUE(
      Fails(rig.caller().Ask(&Stub::GetSocket, "name: 'sockets/second'"), StatusCode::NOT_FOUND, "SOCKET_NOT_FOUND"));
  if (rig.kind().address == Kind::Address::kPath) {
    EXPECT_TRUE(std::filesystem::exists(taken.local().unix_domain().path())) << "a failed bind removed another's path";
  }
  rig.Close({taken});
}

void Bind(Rig& rig) {
  const v1::Socket socket = rig.Open();
  auto reply = rig.caller().Ask(&Stub::BindSocket, rig.At(socket) + "local { " + rig.Fresh() + " }");
  ASSERT_TRUE(Ok(reply));
  EXPECT_EQ(reply->state(), v1::STATE_BOUND);
  ExpectRealAddress(rig, *reply);
  EXPECT_EQ(reply->ShortDebugString(), rig.Get(socket).ShortDebugString());
  rig.Close({socket});
}

void Listen(Rig& rig) {
  const v1::Socket socket = rig.Bound();
  auto reply = rig.caller().Ask(&Stub::ListenSocket, rig.At(socket) + "backlog: 5");
  ASSERT_TRUE(Ok(reply));
  EXPECT_EQ(reply->state(), v1::STATE_LISTENING);
  EXPECT_EQ(reply->local().ShortDebugString(), socket.local().ShortDebugString());
  // Again is legal: it changes the backlog.
  EXPECT_TRUE(Ok(rig.caller().Ask(&Stub::ListenSocket, rig.At(socket) + "backlog: 9")));
  rig.Close({socket});
}

// The name, the address and the path are free again when close has answered.
void CloseFrees(Rig& rig) {
  const std::string address = rig.Fresh();
  std::string uid;
  for (int i = 0; i < 3; ++i) {
    const v1::Socket socket = rig.Open("socket_id: 'again' bind { " + address + " }");
    EXPECT_NE(socket.uid(), uid);
    uid = socket.uid();
    auto closed = rig.caller().Ask(&Stub::CloseSocket, rig.At(socket));
    ASSERT_TRUE(Ok(closed));
    EXPECT_EQ(closed->socket().state(), v1::STATE_CLOSED);
    EXPECT_EQ(closed->socket().uid(), uid);
  }
  EXPECT_TRUE(
      Fails(rig.caller().Ask(&Stub::CloseSocket, "name: 'sockets/again'"), StatusCode::NOT_FOUND, "SOCKET_CLOSED"));
}

// The caller's own id, labels, and the uid that tells namesakes apart (gVisor, NuttX usrsock PR 8609).
void NamedByCaller(Rig& rig) {
  const v1::Socket first = rig.Open("socket_id: 'mine' labels { key: 'app' value: 'web' }");
  EXPECT_EQ(first.name(), "sockets/mine");
  EXPECT_EQ(first.labels().at("app"), "web");
  EXPECT_TRUE(Fails(rig.caller().Ask(&Stub::OpenSocket, rig.Make() + "socket_id: 'mine'"), StatusCode::ALREADY_EXISTS,
                    "SOCKET_EXISTS"));
  rig.Close({first});
  const v1::Socket second = rig.Open("socket_id: 'mine'");
  auto reply = rig.caller().Ask(&Stub::CloseSocket, rig.At(first) + "uid: '" + first.uid() + "'");
  EXPECT_TRUE(Fails(reply, StatusCode::FAILED_PRECONDITION, "UID_MISMATCH"));
  EXPECT_EQ(reply.problem().error.socket(), "sockets/mine");
  EXPECT_TRUE(Ok(rig.caller().Ask(&Stub::CloseSocket, rig.At(second) + "uid: '" + second.uid() + "'")));
}

// Close ends what waits, and each call hears of it.
void CloseEndsWaiting(Rig& rig) {
  const Pair pair = rig.Connected();
  const auto wait = [&](const v1::Socket& socket) {
    return rig.caller().Start(&AsyncStub::AwaitSockets,
                              "items { condition: CONDITION_READABLE " + rig.At(socket) + " }");
  };
  const auto awaiting = wait(pair.server);
  EXPECT_TRUE(rig.CallsUnderWay(1));
  if (rig.kind().IsStream()) {
    auto receive = rig.caller().Start(&AsyncStub::ReceiveData, rig.At(pair.server));
    EXPECT_TRUE(rig.Waits(pair.server, 1));
    rig.Close({pair.server});
    EXPECT_TRUE(Fails(receive.Wait(), StatusCode::ABORTED, "SOCKET_CLOSED"));
  } else {
    auto receive = rig.caller().Start(&AsyncStub::ReceiveDatagrams, rig.At(pair.server));
    EXPECT_TRUE(rig.Waits(pair.server, 1));
    rig.Close({pair.server});
    EXPECT_TRUE(Fails(receive.Wait(), StatusCode::ABORTED, "SOCKET_CLOSED"));
  }
  EXPECT_TRUE(Fails(awaiting.Wait(), StatusCode::ABORTED, "SOCKET_CLOSED"));
  rig.Close({pair.client});
}

}  // namespace

std::vector<Operation> LifecycleOperations() {
  return {
      {"open", Always, OpenBare},
      {"open: bind", Always, OpenBind},
      {"open: family left open", Always, OpenFamilyLeftOpen},
      {"open: bind, listen", Connections, OpenListen},
      {"open: connect", Always, OpenConnect},
      {"open: bind, connect", Always, OpenBindConnect},
      {"open: atomic", Always, OpenIsAtomic},
      {"open: id, labels, uid", Always, NamedByCaller},
      {"bind", Always, Bind},
      {"listen", Connections, Listen},
      {"close frees", Always, CloseFrees},
      {"close ends waiting", Always, CloseEndsWaiting},
  };
}

}  // namespace socketeer::contract
