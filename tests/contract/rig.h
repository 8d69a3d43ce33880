// Sockets of one kind on one server: what the operations of the contract are written with.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/contract/kinds.h"
#include "tests/support/test_server.h"

namespace socketeer::contract {

using testing::AsyncStub;
using testing::Fails;
using testing::Ok;
using testing::Refuses;
using testing::Reply;
using testing::Stub;
using testing::TestServer;

struct Pair {
  v1::Socket client;
  v1::Socket server;
};

class Rig {
 public:
  Rig(const Kind& kind, TestServer& server) : kind_(kind), server_(server) {}

  const Kind& kind() const { return kind_; }
  TestServer& server() { return server_; }
  const testing::Caller& caller() const { return server_.caller(); }

  // Fields of an OpenSocketRequest: what makes the kind.
  std::string Make() const {
    const std::string type = std::string(" type: ") + kind_.type + " ";
    switch (kind_.address) {
      case Kind::Address::kInet4:
        return "family: FAMILY_INET" + type;
      case Kind::Address::kInet6:
        return "family: FAMILY_INET6 options { v6only: true }" + type;
      case Kind::Address::kBoth:
        return "family: FAMILY_INET6 options { v6only: false }" + type;
      default:
        return "family: FAMILY_UNIX" + type;
    }
  }

  // An Endpoint to bind to that nobody has.
  std::string Fresh() {
    const std::string number = std::to_string(++names_);
    switch (kind_.address) {
      case Kind::Address::kInet4:
        return "inet { ip: '127.0.0.1' }";
      case Kind::Address::kInet6:
        return "inet { ip: '::1' }";
      case Kind::Address::kBoth:
        return "named { port: 0 }";
      case Kind::Address::kPath:
        return "unix_domain { path: '" + server_.dir().File("s" + number) + "' }";
      default:
        return "unix_domain { abstract_name: '" + server_.dir().path() + "\\000" + number + "' }";
    }
  }

  // The Endpoint at which others reach `socket`: an IPv4 address for one of both families.
  std::string Reach(const v1::Socket& socket) const {
    if (kind_.address != Kind::Address::kBoth) return socket.local().ShortDebugString();
    return "inet { ip: '127.0.0.1' port: " + std::to_string(socket.local().inet().port()) + " }";
  }

  v1::Socket Open(const std::string& more = "") {
    auto request = testing::Text<v1::OpenSocketRequest>(Make());
    request.MergeFrom(testing::Text<v1::OpenSocketRequest>(more));  // both may have options
    auto reply = caller().Ask(&Stub::OpenSocket, request);
    EXPECT_TRUE(Ok(reply));
    return reply->socket();
  }
  v1::Socket Bound(const std::string& more = "") { return Open("bind { " + Fresh() + " } " + more); }
  v1::Socket Listener(const std::string& more = "") { return Bound("listen {} " + more); }
  v1::Socket ClientOf(const v1::Socket& socket, const std::string& more = "") {
    return Open("connect { " + Reach(socket) + " } " + more);
  }
  v1::Socket Accept(const v1::Socket& listener, const std::string& more = "") {
    auto reply = caller().Ask(&Stub::AcceptSocket, At(listener) + more);
    EXPECT_TRUE(Ok(reply));
    return reply->socket();
  }
  // Two sockets whose peers are each other. `client` and `server`: more fields of their requests.
  Pair Connected(const std::string& client = "", const std::string& server = "") {
    Pair pair;
    if (kind_.HasConnections()) {
      const v1::Socket listener = Listener(server);
      pair.client = ClientOf(listener, client);
      pair.server = Accept(listener);
      Close({listener});
      return pair;
    }
    pair.server = Bound(server);
    pair.client = Open("bind { " + Fresh() + " } connect { " + Reach(pair.server) + " } " + client);
    auto reply = caller().Ask(&Stub::ConnectSocket, At(pair.server) + "peer { " + Reach(pair.client) + " }");
    EXPECT_TRUE(Ok(reply));
    pair.server = reply->socket();
    return pair;
  }

  // The first field of a request about `socket`.
  static std::string At(const v1::Socket& socket) { return "name: '" + socket.name() + "' "; }
  v1::Socket Get(const v1::Socket& socket) const {
    auto reply = caller().Ask(&Stub::GetSocket, At(socket));
    EXPECT_TRUE(Ok(reply));
    return *reply;
  }
  void Close(const std::vector<v1::Socket>& sockets) {
    for (const v1::Socket& socket : sockets) EXPECT_TRUE(Ok(caller().Ask(&Stub::CloseSocket, At(socket))));
  }
  void ClosePair(const Pair& pair) { Close({pair.client, pair.server}); }

  // One message, as the kind carries it.
  void Send(const v1::Socket& from, const std::string& payload) {
    const std::string data = "'" + testing::Escaped(payload) + "'";
    if (kind_.IsStream()) {
      auto reply = caller().Ask(&Stub::SendData, At(from) + "mode: MODE_WHOLE data: " + data);
      EXPECT_TRUE(Ok(reply));
      EXPECT_EQ(reply->bytes_sent(), payload.size());
    } else {
      auto reply = caller().Ask(&Stub::SendDatagrams, At(from) + "datagrams { payload: " + data + " }");
      EXPECT_TRUE(Ok(reply));
      EXPECT_EQ(reply->datagrams_sent(), 1u);
    }
  }
  // What the next receive gets; absent: the end of the stream.
  std::optional<std::string> Receive(const v1::Socket& at, const std::string& more = "") {
    if (kind_.IsStream()) {
      auto reply = caller().Ask(&Stub::ReceiveData, At(at) + more);
      EXPECT_TRUE(Ok(reply));
      if (reply->end_of_stream() && reply->data().empty()) return std::nullopt;
      return reply->data();
    }
    auto reply = caller().Ask(&Stub::ReceiveDatagrams, At(at) + more);
    EXPECT_TRUE(Ok(reply));
    if (reply->datagrams().empty()) {
      EXPECT_TRUE(reply->end_of_stream());
      return std::nullopt;
    }
    return reply->datagrams(0).payload();
  }
  // A receive's status alone.
  grpc::Status TryReceive(const v1::Socket& at, const std::string& more) {
    if (kind_.IsStream()) return caller().Ask(&Stub::ReceiveData, At(at) + more).status;
    return caller().Ask(&Stub::ReceiveDatagrams, At(at) + more).status;
  }
  grpc::Status TrySend(const v1::Socket& from, const std::string& more = "") {
    if (kind_.IsStream()) return caller().Ask(&Stub::SendData, At(from) + "data: 'x' " + more).status;
    return caller().Ask(&Stub::SendDatagrams, At(from) + "datagrams { payload: 'x' } " + more).status;
  }
  // A receive that is known to wait.
  bool Waits(const v1::Socket& socket, uint32_t reads, uint32_t writes = 0) const {
    return testing::Eventually(
        [&] {
          const v1::Socket now = Get(socket);
          return now.waiting_reads() == reads && now.waiting_writes() == writes;
        },
        "the API has no event for a call that began to wait");
  }
  // So many have come to the daemon.
  bool CallsUnderWay(uint32_t calls) const {
    return testing::Eventually([&] { return caller().GetHost()->usage().calls() == calls + 1; },
                               "the API has no event for a call that began to wait");
  }

 private:
  const Kind kind_;
  TestServer& server_;
  int names_ = 0;
};

}  // namespace socketeer::contract
