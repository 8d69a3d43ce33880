// Requests that must be refused before any system call, each with its own clear error; the daemon is afterwards as it
// was before.
#include <sys/un.h>

#include <string>
#include <vector>

#include "tests/support/test_server.h"

namespace socketeer {
namespace {

using grpc::StatusCode;
using testing::Fails;
using testing::Ok;
using testing::Refuses;
using testing::Stub;

struct Bad {
  std::string request;
  std::string field;
};

class BadRequest : public ::testing::Test {
 protected:
  v1::Socket OpenTcp() {
    auto reply = server_->Ask(&Stub::OpenSocket, "socket_id: 'tcp' family: FAMILY_INET type: SOCKET_TYPE_STREAM");
    EXPECT_TRUE(Ok(reply));
    return sockets_.emplace_back(reply->socket());
  }
  v1::Socket OpenUdp() {
    auto reply = server_->Ask(&Stub::OpenSocket, "socket_id: 'udp' family: FAMILY_INET type: SOCKET_TYPE_DGRAM");
    EXPECT_TRUE(Ok(reply));
    return sockets_.emplace_back(reply->socket());
  }
  // Each is refused for its field, and the sockets there are stay as they were.
  template <typename Request, typename Response>
  void ExpectRefused(grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                     const std::vector<Bad>& list) {
    for (const Bad& bad : list) {
      EXPECT_TRUE(Refuses(server_->Ask(method, bad.request), bad.field)) << bad.request;
    }
    for (const v1::Socket& socket : sockets_) {
      auto now = server_->Ask(&Stub::GetSocket, "name: '" + socket.name() + "'");
      EXPECT_EQ(now->ShortDebugString(), socket.ShortDebugString());
    }
    EXPECT_EQ(server_->GetHost()->usage().sockets(), sockets_.size());
  }
  void TearDown() override { server_.CloseAll(); }

  testing::TestServer server_;
  std::vector<v1::Socket> sockets_;
};

TEST_F(BadRequest, Names) {
  OpenTcp();
  std::vector<Bad> list;
  for (const std::string& name :
       {std::string(""), std::string("tcp"), std::string("sockets/"), std::string("sockets/Tcp"),
        std::string("sockets/tcp/"), std::string("/sockets/tcp"), std::string("sockets/a b"), std::string("sockets/-a"),
        std::string("sockets/1"), std::string("sockets/t\\000"), "sockets/" + std::string(64, 'a'),
        std::string("sockets/\\303\\244")}) {
    list.push_back({"name: '" + name + "'", "name"});
  }
  ExpectRefused(&Stub::GetSocket, list);
  ExpectRefused(&Stub::CloseSocket, list);
  ExpectRefused(&Stub::ReceiveData, list);
}

TEST_F(BadRequest, Ids) {
  const std::string make = "family: FAMILY_INET type: SOCKET_TYPE_STREAM socket_id: ";
  ExpectRefused(&Stub::OpenSocket, {{make + "'A'", "socket_id"},
                                    {make + "'1a'", "socket_id"},
                                    {make + "'a_b'", "socket_id"},
                                    {make + "'a.b'", "socket_id"},
                                    {make + "'sockets/a'", "socket_id"},
                                    {make + "'" + std::string(64, 'a') + "'", "socket_id"}});
  auto longest = server_->Ask(&Stub::OpenSocket, make + "'" + std::string(63, 'a') + "'");
  EXPECT_TRUE(Ok(longest));
}

TEST_F(BadRequest, EnumValuesThatThereAreNot) {
  OpenTcp();
  const std::string at = "name: 'sockets/tcp' ";
  v1::OpenSocketRequest open;
  open.set_family(static_cast<v1::Family>(9));
  open.set_type(v1::SOCKET_TYPE_STREAM);
  EXPECT_TRUE(Refuses(server_->Ask(&Stub::OpenSocket, open), "family"));
  open.set_family(v1::FAMILY_INET);
  for (const int type : {0, 4, -1, 1000}) {
    open.set_type(static_cast<v1::SocketType>(type));
    auto reply = server_->Ask(&Stub::OpenSocket, open);
    EXPECT_TRUE(Refuses(reply, "type"));
    EXPECT_EQ(reply.problem().Given("given"), std::to_string(type));
  }
  for (const int mode : {4, -1, 1 << 30}) {
    v1::ReceiveDataRequest receive;
    receive.set_name("sockets/tcp");
    receive.set_mode(static_cast<v1::Mode>(mode));
    EXPECT_TRUE(Refuses(server_->Ask(&Stub::ReceiveData, receive), "mode"));
    v1::AcceptSocketRequest accept;
    accept.set_name("sockets/tcp");
    accept.set_mode(static_cast<v1::Mode>(mode));
    EXPECT_TRUE(Refuses(server_->Ask(&Stub::AcceptSocket, accept), "mode"));
    v1::ConnectSocketRequest connect;
    connect.set_name("sockets/tcp");
    connect.set_mode(static_cast<v1::Mode>(mode));
    EXPECT_TRUE(Refuses(server_->Ask(&Stub::ConnectSocket, connect), "mode"));
  }
  for (const int direction : {0, 4, -1}) {
    v1::ShutdownSocketRequest shutdown;
    shutdown.set_name("sockets/tcp");
    shutdown.set_direction(static_cast<v1::Direction>(direction));
    EXPECT_TRUE(Refuses(server_->Ask(&Stub::ShutdownSocket, shutdown), "direction"));
  }
  for (const int condition : {0, 7, -1}) {
    v1::AwaitSocketsRequest await;
    await.add_items()->set_name("sockets/tcp");
    await.mutable_items(0)->set_condition(static_cast<v1::Condition>(condition));
    EXPECT_TRUE(Refuses(server_->Ask(&Stub::AwaitSockets, await), "items[0].condition"));
  }
  ExpectRefused(&Stub::GetSocket, {});
}

TEST_F(BadRequest, Timeouts) {
  OpenTcp();
  OpenUdp();
  for (const std::string timeout : {"seconds: -1", "nanos: -1", "seconds: 1 nanos: -1", "nanos: 1000000000",
                                    "seconds: 86401", "seconds: 86400 nanos: 1", "seconds: 9223372036854775807"}) {
    const std::string with = " timeout { " + timeout + " } ";
    const std::string tcp = "name: 'sockets/tcp'" + with;
    ExpectRefused(&Stub::ReceiveData, {{tcp, "timeout"}});
    ExpectRefused(&Stub::SendData, {{tcp, "timeout"}});
    ExpectRefused(&Stub::AcceptSocket, {{tcp, "timeout"}});
    ExpectRefused(&Stub::ShutdownSocket, {{tcp + "direction: DIRECTION_WRITE", "timeout"}});
    ExpectRefused(&Stub::ConnectSocket, {{tcp + "peer { inet { ip: '127.0.0.1' port: 1 } }", "timeout"}});
    ExpectRefused(&Stub::ReceiveDatagrams, {{"name: 'sockets/udp'" + with, "timeout"}});
    ExpectRefused(&Stub::SendDatagrams, {{"name: 'sockets/udp'" + with + "datagrams {}", "timeout"}});
    ExpectRefused(&Stub::OpenSocket, {{"family: FAMILY_INET type: SOCKET_TYPE_STREAM" + with, "timeout"}});
    ExpectRefused(&Stub::AwaitSockets,
                  {{"items { name: 'sockets/tcp' condition: CONDITION_READABLE }" + with, "timeout"}});
  }
  // The longest is a day.
  auto day = server_->Ask(&Stub::AwaitSockets,
                          "items { name: 'sockets/udp' condition: CONDITION_WRITABLE } timeout { seconds: 86400 }");
  EXPECT_TRUE(Ok(day));
}

TEST_F(BadRequest, Open) {
  const std::string tcp = "type: SOCKET_TYPE_STREAM family: FAMILY_INET ";
  ExpectRefused(&Stub::OpenSocket, {{"", "type"},
                                    {"family: FAMILY_INET", "type"},
                                    {"type: SOCKET_TYPE_STREAM", "family"},
                                    {"type: SOCKET_TYPE_STREAM listen {}", "family"},
                                    {tcp + "protocol: -1", "protocol"},
                                    {tcp + "listen { backlog: -1 }", "listen.backlog"},
                                    {tcp + "options { rcvbuf: -1 }", "options.rcvbuf"},
                                    {tcp + "options { linger { seconds: 65536 } }", "options.linger.seconds"},
                                    {tcp + "labels { key: 'Bad' value: '' }", "labels"},
                                    {tcp + "labels { key: '' value: '' }", "labels"},
                                    {tcp + "labels { key: 'a' value: '" + std::string(256, 'v') + "' }", "labels.a"}});
}

TEST_F(BadRequest, BoundsOfReceives) {
  OpenTcp();
  OpenUdp();
  const std::string tcp = "name: 'sockets/tcp' ";
  const std::string udp = "name: 'sockets/udp' ";
  ExpectRefused(&Stub::ReceiveData, {{tcp + "min_bytes: 1", "min_bytes"},
                                     {tcp + "min_bytes: 1 mode: MODE_EXACT", "min_bytes"},
                                     {tcp + "max_bytes: 2097153", "max_bytes"},
                                     {tcp + "max_bytes: 4294967295", "max_bytes"},
                                     {tcp + "max_bytes: 5 min_bytes: 6 mode: MODE_WHOLE", "min_bytes"},
                                     {tcp + "min_bytes: 2097153 mode: MODE_WHOLE", "max_bytes"},
                                     {tcp + "peek: true mode: MODE_WHOLE", "peek"}});
  ExpectRefused(&Stub::ReceiveDatagrams, {{udp + "min_datagrams: 1", "min_datagrams"},
                                          {udp + "max_datagrams: 1025", "max_datagrams"},
                                          {udp + "max_bytes: 2097153", "max_bytes"},
                                          {udp + "max_datagrams: 2 min_datagrams: 3 mode: MODE_WHOLE", "min_datagrams"},
                                          {udp + "peek: true mode: MODE_WHOLE", "peek"},
                                          {udp + "peek: true max_datagrams: 2", "max_datagrams"}});
  ExpectRefused(&Stub::SendDatagrams, {{udp, "datagrams"}});
}

TEST_F(BadRequest, Verbs) {
  OpenTcp();
  const std::string at = "name: 'sockets/tcp' ";
  ExpectRefused(&Stub::BindSocket, {{at, "local"}, {at + "local {}", "local"}});
  ExpectRefused(&Stub::ConnectSocket, {{at, "target"}, {at + "disconnect: false", "target"}, {at + "peer {}", "peer"}});
  ExpectRefused(&Stub::ListenSocket, {{at + "backlog: -1", "backlog"}});
  ExpectRefused(&Stub::SetSocketOptions,
                {{at, "options"}, {at + "options {}", "options"}, {at + "options { sndbuf: -5 }", "options.sndbuf"}});
  ExpectRefused(&Stub::AcceptSocket,
                {{at + "socket_id: 'No'", "socket_id"}, {at + "labels { key: 'No' value: '' }", "labels"}});
}

TEST_F(BadRequest, Awaits) {
  OpenTcp();
  ExpectRefused(
      &Stub::AwaitSockets,
      {{"", "items"},
       {"items {}", "items[0].name"},
       {"items { name: 'sockets/tcp' }", "items[0].condition"},
       {"items { name: 'sockets/tcp' condition: CONDITION_CLOSED } items { name: 'x' }", "items[1].name"},
       {"items { name: 'sockets/tcp' condition: CONDITION_CLOSED readable_bytes: 1 }", "items[0].readable_bytes"}});
  std::string many;
  for (int i = 0; i < 1025; ++i) many += "items { name: 'sockets/tcp' condition: CONDITION_CLOSED }";
  ExpectRefused(&Stub::AwaitSockets, {{many, "items"}});
}

TEST_F(BadRequest, Masks) {
  OpenTcp();
  const std::string socket = "socket { name: 'sockets/tcp' labels { key: 'a' value: 'b' } } ";
  ExpectRefused(&Stub::UpdateSocket,
                {{"", "socket.name"},
                 {"socket { name: 'tcp' } update_mask { paths: 'labels' }", "socket.name"},
                 {socket, "update_mask"},
                 {socket + "update_mask {}", "update_mask"},
                 {socket + "update_mask { paths: '' }", "update_mask"},
                 {socket + "update_mask { paths: '*' }", "update_mask"},
                 {socket + "update_mask { paths: 'state' }", "update_mask"},
                 {socket + "update_mask { paths: 'labels.' }", "update_mask"},
                 {socket + "update_mask { paths: 'labels.Bad' }", "update_mask"},
                 {socket + "update_mask { paths: 'labels.a' paths: 'name' }", "update_mask"},
                 {"socket { name: 'sockets/tcp' labels { key: 'Bad' value: 'b' } } update_mask { paths: 'labels' }",
                  "socket.labels"}});
}

TEST_F(BadRequest, Lists) {
  OpenTcp();
  ExpectRefused(&Stub::ListSockets, {{"page_size: -1", "page_size"},
                                     {"filter: 'nonsense'", "filter"},
                                     {"filter: 'state = BOUND OR kind = tcp'", "filter"},
                                     {"page_token: 'x'", "page_token"}});
  auto reply = server_->Ask(&Stub::ListSockets, "filter: 'kind = tcp4 AND state = listening'");
  EXPECT_TRUE(Refuses(reply, "filter"));
  EXPECT_NE(reply.problem().message.find("at column 25"), std::string::npos) << reply;

  OpenUdp();
  auto first = server_->Ask(&Stub::ListSockets, "page_size: 1 filter: 'labels.a != b'");
  ASSERT_TRUE(Ok(first));
  ASSERT_FALSE(first->next_page_token().empty());
  const std::string token = "page_token: '" + first->next_page_token() + "' ";
  ExpectRefused(&Stub::ListSockets, {{token, "page_token"}, {token + "filter: 'labels.a != c'", "page_token"}});
  EXPECT_TRUE(Ok(server_->Ask(&Stub::ListSockets, token + "filter: 'labels.a != b'")));
}

TEST_F(BadRequest, CallsOfTheOtherKind) {
  OpenTcp();
  OpenUdp();
  const std::string tcp = "name: 'sockets/tcp' ";
  const std::string udp = "name: 'sockets/udp' ";
  const auto expect = [](const auto& reply, const std::string& operation, const std::string& kind,
                         const std::string& instead) {
    EXPECT_TRUE(Fails(reply, StatusCode::FAILED_PRECONDITION, "WRONG_KIND"));
    EXPECT_EQ(reply.problem().Given("given"), kind);
    EXPECT_EQ(reply.problem().Given("allowed"), instead);
    EXPECT_EQ(reply.problem().error.operation(), operation);
  };
  expect(server_->Ask(&Stub::SendDatagrams, tcp + "datagrams {}"), "send", "tcp4", "SendData");
  expect(server_->Ask(&Stub::ReceiveDatagrams, tcp), "receive", "tcp4", "ReceiveData");
  expect(server_->Ask(&Stub::SendData, udp), "send", "udp4", "SendDatagrams");
  expect(server_->Ask(&Stub::ReceiveData, udp), "receive", "udp4", "ReceiveDatagrams");
}

}  // namespace
}  // namespace socketeer
