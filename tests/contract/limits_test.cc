// Every bound: at it the caller gets RESOURCE_EXHAUSTED with the limit's name, and the daemon goes on.
#include <deque>
#include <string>
#include <vector>

#include "tests/support/test_server.h"

namespace socketeer {
namespace {

using grpc::StatusCode;
using testing::AsyncStub;
using testing::Caller;
using testing::Eventually;
using testing::Fails;
using testing::Ok;
using testing::Refuses;
using testing::Stub;
using testing::TestServer;

constexpr char kTcp[] = "type: SOCKET_TYPE_STREAM family: FAMILY_INET ";
constexpr char kUdp[] = "type: SOCKET_TYPE_DGRAM bind { inet { ip: '127.0.0.1' } } ";

template <typename Response>
void ExpectLimit(const testing::Reply<Response>& reply, const std::string& limit, const std::string& allowed) {
  EXPECT_TRUE(Fails(reply, StatusCode::RESOURCE_EXHAUSTED, "LIMIT_REACHED"));
  EXPECT_EQ(reply.problem().Given("limit"), limit);
  EXPECT_EQ(reply.problem().Given("allowed"), allowed);
  EXPECT_EQ(reply.problem().error.origin(), v1::ORIGIN_LIMIT);
}

std::vector<testing::Pending<v1::ReceiveDatagramsResponse>> WaitingReceives(const Caller& caller,
                                                                            const std::string& name, size_t count) {
  std::vector<testing::Pending<v1::ReceiveDatagramsResponse>> waiting;
  for (size_t i = 0; i < count; ++i)
    waiting.push_back(caller.Start(&AsyncStub::ReceiveDatagrams, "name: '" + name + "'"));
  EXPECT_TRUE(Eventually([&] { return caller.Ask(&Stub::GetSocket, "name: '" + name + "'")->waiting_reads() == count; },
                         "the API has no event for a call that began to wait"));
  return waiting;
}

// Pending calls without a bound: apiserver-network-proxy #789.
TEST(Limits, WaitingCallsOnOneSocket) {
  TestServer server;
  server->Ask(&Stub::OpenSocket, std::string(kUdp) + "socket_id: 'udp'");
  const auto waiting = WaitingReceives(server.caller(), "sockets/udp", 1024);
  auto more = server->Ask(&Stub::ReceiveDatagrams, "name: 'sockets/udp'");
  ExpectLimit(more, "max_waiting_calls_per_direction", "1024");
  EXPECT_EQ(more.problem().error.socket(), "sockets/udp");
  // The other direction has a queue of its own, and other sockets theirs.
  EXPECT_TRUE(Ok(server->Ask(&Stub::OpenSocket, std::string(kUdp) + "socket_id: 'other'")));
  EXPECT_TRUE(server->Ask(&Stub::ReceiveDatagrams, "name: 'sockets/other' timeout {}")->timed_out());
  // One goes, one may come.
  waiting[500].Cancel();
  EXPECT_EQ(waiting[500].Wait().status.error_code(), StatusCode::CANCELLED);
  EXPECT_TRUE(Eventually([&] { return server->Ask(&Stub::GetSocket, "name: 'sockets/udp'")->waiting_reads() == 1023; },
                         "a cancelled call ends at the daemon after it ended here"));
  auto late = server->Start(&AsyncStub::ReceiveDatagrams, "name: 'sockets/udp'");
  server.CloseAll();
  for (size_t i = 0; i < waiting.size(); ++i) {
    if (i != 500) {
      EXPECT_TRUE(Fails(waiting[i].Wait(), StatusCode::ABORTED, "SOCKET_CLOSED"));
    }
  }
  EXPECT_FALSE(late.Wait().ok());
}

TEST(Limits, CallsOfTheWholeDaemon) {
  TestServer server({.limits = [](base::Limits& limits) { limits.max_calls = 10; }});
  server->Ask(&Stub::OpenSocket, std::string(kUdp) + "socket_id: 'udp'");
  const auto waiting = WaitingReceives(server.caller(), "sockets/udp", 9);
  // Nine wait, so there is room for one: this, or a look.
  const auto start = [&] { return server->Start(&AsyncStub::ReceiveDatagrams, "name: 'sockets/udp'"); };
  auto last = start();
  EXPECT_TRUE(Eventually(
      [&] {
        if (last.Ended()) {  // a look had the place
          ExpectLimit(last.Wait(), "max_calls", "10");
          last = start();
        }
        auto look = server->Ask(&Stub::GetSocket, "name: 'sockets/udp'");
        if (look.ok()) return false;
        ExpectLimit(look, "max_calls", "10");
        return !last.Ended();
      },
      "the tenth call has arrived when the next one is refused"));
  last.Cancel();
  for (const auto& each : waiting) each.Cancel();
  for (const auto& each : waiting) EXPECT_EQ(each.Wait().status.error_code(), StatusCode::CANCELLED);
  EXPECT_FALSE(last.Wait().ok());
  EXPECT_TRUE(Eventually([&] { return server->Ask(&Stub::CloseSocket, "name: 'sockets/udp'").ok(); },
                         "a cancelled call ends at the daemon after it ended here"));
}

TEST(Limits, Sockets) {
  TestServer server({.limits = [](base::Limits& limits) { limits.max_sockets = 2; }});
  const std::string listen = "type: SOCKET_TYPE_STREAM bind { inet { ip: '127.0.0.1' } } listen {} socket_id: 'l'";
  auto listener = server->Ask(&Stub::OpenSocket, listen);
  ASSERT_TRUE(Ok(listener));
  ASSERT_TRUE(Ok(server->Ask(&Stub::OpenSocket, "type: SOCKET_TYPE_STREAM socket_id: 'c' connect { " +
                                                    listener->socket().local().ShortDebugString() + " }")));
  ExpectLimit(server->Ask(&Stub::OpenSocket, kTcp), "max_sockets", "2");
  // An accept that has no room leaves the connection where it is.
  ExpectLimit(server->Ask(&Stub::AcceptSocket, "name: 'sockets/l'"), "max_sockets", "2");
  EXPECT_EQ(server->GetHost()->usage().sockets(), 2u);
  EXPECT_TRUE(Ok(server->Ask(&Stub::CloseSocket, "name: 'sockets/c'")));
  EXPECT_TRUE(Ok(server->Ask(&Stub::AcceptSocket, "name: 'sockets/l'")));
  server.CloseAll();
}

TEST(Limits, LabelsAtOpenAndUpdate) {
  TestServer server;
  std::string labels;
  for (int i = 0; i < 65; ++i) labels += "labels { key: 'k" + std::to_string(i) + "' value: '' } ";
  ExpectLimit(server->Ask(&Stub::OpenSocket, kTcp + labels), "max_labels", "64");
  std::string bytes;
  for (int i = 0; i < 9; ++i)
    bytes += "labels { key: 'k" + std::to_string(i) + "' value: '" + std::string(250, 'v') + "' } ";
  ExpectLimit(server->Ask(&Stub::OpenSocket, kTcp + bytes), "max_label_bytes", "2048");
  ASSERT_TRUE(
      Ok(server->Ask(&Stub::OpenSocket, std::string(kTcp) + "socket_id: 'web' labels { key: 'a' value: '1' }")));
  ExpectLimit(
      server->Ask(&Stub::UpdateSocket, "socket { name: 'sockets/web' " + labels + "} update_mask { paths: 'labels' }"),
      "max_labels", "64");
  EXPECT_EQ(server->Ask(&Stub::GetSocket, "name: 'sockets/web'")->labels_size(), 1);
  server.CloseAll();
}

TEST(Limits, Resolutions) {
  TestServer server({.limits = [](base::Limits& limits) { limits.max_resolutions = 0; }});
  ExpectLimit(server->Ask(&Stub::OpenSocket, std::string(kTcp) + "connect { named { host: 'localhost' port: 1 } }"),
              "max_resolutions", "0");
  // A number needs no resolver.
  EXPECT_TRUE(Ok(server->Ask(&Stub::OpenSocket, std::string(kTcp) + "bind { named { host: '127.0.0.1' } }")));
  server.CloseAll();
}

TEST(Limits, PayloadsAndMessages) {
  TestServer server;
  auto listener =
      server->Ask(&Stub::OpenSocket, "type: SOCKET_TYPE_STREAM bind { inet { ip: '127.0.0.1' } } listen {}");
  auto client = server->Ask(&Stub::OpenSocket, "socket_id: 'c' type: SOCKET_TYPE_STREAM connect { " +
                                                   listener->socket().local().ShortDebugString() + " }");
  ASSERT_TRUE(Ok(client));
  v1::SendDataRequest request;
  request.set_name("sockets/c");
  request.set_mode(v1::MODE_EXACT);
  request.set_data(std::string(2 << 20, 'd'));
  auto largest = server->Ask(&Stub::SendData, request);
  EXPECT_TRUE(Ok(largest));
  const uint64_t sent = largest->bytes_sent();
  for (const size_t size : {size_t{(2 << 20) + 1}, size_t{10} << 20}) {
    request.set_data(std::string(size, 'd'));
    auto reply = server->Ask(&Stub::SendData, request);
    EXPECT_TRUE(Refuses(reply, "data"));
    EXPECT_EQ(reply.problem().Given("given"), std::to_string(size) + " bytes");
    EXPECT_EQ(reply.problem().Given("allowed"), "at most 2097152 bytes");
  }
  // Above gRPC's own limit it is gRPC that refuses: no details, but still no doubt.
  request.set_data(std::string(13 << 20, 'd'));
  auto huge = server->Ask(&Stub::SendData, request);
  EXPECT_EQ(huge.status.error_code(), StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_NE(huge.status.error_message().find("larger than max"), std::string::npos) << huge.status.error_message();
  EXPECT_EQ(server->Ask(&Stub::GetSocket, "name: 'sockets/c'")->counters().bytes_sent(), sent);

  ASSERT_TRUE(Ok(server->Ask(&Stub::OpenSocket, std::string(kUdp) + "socket_id: 'u'")));
  v1::SendDatagramsRequest datagrams;
  datagrams.set_name("sockets/u");
  for (int i = 0; i < 40; ++i) datagrams.add_datagrams()->set_payload(std::string(60'000, 'd'));
  EXPECT_TRUE(Refuses(server->Ask(&Stub::SendDatagrams, datagrams), "datagrams"));
  datagrams.clear_datagrams();
  for (int i = 0; i < 1025; ++i) datagrams.add_datagrams();
  EXPECT_TRUE(Refuses(server->Ask(&Stub::SendDatagrams, datagrams), "datagrams"));
  server.CloseAll();
}

// More than a client's 4 MiB would never arrive: a receive answers with less instead.
TEST(Limits, AnswersFitAClient) {
  TestServer server;
  auto to = server->Ask(&Stub::OpenSocket, std::string(kUdp) + "socket_id: 'to' options { rcvbuf: 8000000 }");
  auto from = server->Ask(&Stub::OpenSocket, std::string(kUdp) + "socket_id: 'from' connect { " +
                                                 to->socket().local().ShortDebugString() + " }");
  ASSERT_TRUE(Ok(from));
  v1::SendDatagramsRequest request;
  request.set_name("sockets/from");
  for (int i = 0; i < 30; ++i) request.add_datagrams()->set_payload(std::string(60'000, 'd'));
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(Ok(server->Ask(&Stub::SendDatagrams, request)));
  while (true) {
    auto reply = server->Ask(&Stub::ReceiveDatagrams, "name: 'sockets/to' max_datagrams: 1024 timeout {}");
    ASSERT_TRUE(Ok(reply));
    if (reply->timed_out()) break;
    EXPECT_GT(reply->datagrams_size(), 0);
    EXPECT_LE(reply->ByteSizeLong(), size_t{2'200'000});
  }
  server.CloseAll();
}

// What is not acknowledged, on one socket and on all.
TEST(Limits, RetainedBytes) {
  TestServer server({.limits = [](base::Limits& limits) {
    limits.max_retained_bytes_per_socket = 4;
    limits.max_retained_bytes = 6;
  }});
  auto listener = server->Ask(&Stub::OpenSocket,
                              "socket_id: 'l' type: SOCKET_TYPE_STREAM bind { inet { ip: '127.0.0.1' } } listen {}");
  const std::string connect =
      "type: SOCKET_TYPE_STREAM connect { " + listener->socket().local().ShortDebugString() + " }";
  for (const std::string id : {"a", "b"}) {
    ASSERT_TRUE(Ok(server->Ask(&Stub::OpenSocket, connect + "socket_id: '" + id + "'")));
    ASSERT_TRUE(Ok(server->Ask(&Stub::AcceptSocket, "name: 'sockets/l' socket_id: 'peer-of-" + id + "'")));
    ASSERT_TRUE(Ok(server->Ask(&Stub::SendData, "name: 'sockets/peer-of-" + id + "' data: 'abcdefgh'")));
  }
  const auto receive = [&](const std::string& more) { return server->Ask(&Stub::ReceiveData, more); };
  const std::string whole = " mode: MODE_WHOLE offset: 0 max_bytes: 5";
  ExpectLimit(receive("name: 'sockets/a'" + whole), "max_retained_bytes_per_socket", "4");
  EXPECT_EQ(receive("name: 'sockets/a' offset: 0")->data(), "abcd") << "what it took is not lost";
  ExpectLimit(receive("name: 'sockets/b' mode: MODE_WHOLE offset: 0 max_bytes: 3"), "max_retained_bytes", "6");
  EXPECT_EQ(server->GetHost()->usage().retained_bytes(), 6u);
  EXPECT_EQ(receive("name: 'sockets/b' offset: 0")->data(), "ab");
  ExpectLimit(receive("name: 'sockets/b'" + whole), "max_retained_bytes", "6");
  EXPECT_EQ(receive("name: 'sockets/b'")->data(), "cdefgh") << "of which nothing needs to be kept";
  EXPECT_EQ(receive("name: 'sockets/a' offset: 4")->data(), "efgh") << "room of its own";
  EXPECT_EQ(server->GetHost()->usage().retained_bytes(), 4u);
  server.CloseAll();
  EXPECT_EQ(server->GetHost()->usage().retained_bytes(), 0u);
}

// Control connections beyond the cap hear why, on each call, while there is room for that; those within it go on, and
// who waited comes in.
TEST(Limits, Connections) {
  TestServer server({.loopback = true, .limits = [](base::Limits& limits) { limits.max_connections = 3; }});
  const Caller fourth = server.AnotherCaller();
  const Caller fifth = server.LoopbackCaller();
  {
    const Caller second = server.AnotherCaller();
    const Caller third = server.LoopbackCaller();
    EXPECT_TRUE(Ok(second.GetHost()));
    EXPECT_TRUE(Ok(third.GetHost()));
    EXPECT_EQ(server->GetHost()->usage().connections(), 3u);
    for (int i = 0; i < 3; ++i) {
      ExpectLimit(fourth.GetHost(), "max_connections", "3");
      EXPECT_EQ(fifth.GetHost(std::chrono::seconds(5)).status.error_code(), StatusCode::UNAVAILABLE);
    }
    EXPECT_TRUE(Ok(second.GetHost()));
    EXPECT_TRUE(Ok(server->GetHost()));
  }
  EXPECT_TRUE(Eventually([&] { return fourth.GetHost().ok(); },
                         "gRPC closes connections on threads of its own and tells nobody"));
  EXPECT_TRUE(
      Eventually([&] { return fifth.GetHost(std::chrono::seconds(5)).ok(); }, "gRPC connects anew when it likes"));
}

// However many are too many: those within the cap never notice.
TEST(Limits, ManyConnectionsTooMany) {
  TestServer server({.limits = [](base::Limits& limits) { limits.max_connections = 1; }});
  {
    std::deque<Caller> crowd;
    for (int i = 0; i < 60; ++i) crowd.emplace_back(server.server().addresses()[0]);
    for (const Caller& each : crowd) EXPECT_FALSE(each.GetHost(std::chrono::seconds(5)).ok());
    EXPECT_TRUE(Ok(server->GetHost()));
  }
}

}  // namespace
}  // namespace socketeer
