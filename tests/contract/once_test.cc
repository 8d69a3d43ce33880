// request_id: a call that changes state is done once, however often it is repeated.
#include "tests/support/test_server.h"

namespace socketeer {
namespace {

using grpc::StatusCode;
using testing::AsyncStub;
using testing::Caller;
using testing::Fails;
using testing::Ok;
using testing::Refuses;
using testing::SessionStub;
using testing::Stub;
using testing::TestServer;

class OnceTest : public ::testing::Test {
 protected:
  TestServer server_{{.loops = 2}};
};

TEST_F(OnceTest, ARepeatGetsTheFirstAnswer) {
  const std::string open =
      "type: SOCKET_TYPE_STREAM bind { inet { ip: '127.0.0.1' } } listen {} labels { key: 'a' value: '1' } "
      "labels { key: 'b' value: '2' } request_id: 'open-1'";
  auto first = server_->Ask(&Stub::OpenSocket, open);
  ASSERT_TRUE(Ok(first));
  // Also over another connection, as after a broken one.
  auto again = server_.AnotherCaller().Ask(&Stub::OpenSocket, open);
  ASSERT_TRUE(Ok(again));
  EXPECT_EQ(again->ShortDebugString(), first->ShortDebugString());
  EXPECT_EQ(server_->Ask(&Stub::ListSockets, "")->sockets_size(), 1);
  EXPECT_NE(server_->Ask(&Stub::OpenSocket, open.substr(0, open.size() - 2) + "2'")->socket().name(),
            first->socket().name());

  const std::string at = "name: '" + first->socket().name() + "' ";
  EXPECT_TRUE(Ok(server_->Ask(&Stub::CloseSocket, at + "request_id: 'close-1'")));
  auto closed = server_->Ask(&Stub::CloseSocket, at + "request_id: 'close-1'");
  ASSERT_TRUE(Ok(closed));
  EXPECT_EQ(closed->socket().state(), v1::STATE_CLOSED);
  EXPECT_TRUE(Fails(server_->Ask(&Stub::CloseSocket, at), StatusCode::NOT_FOUND, "SOCKET_CLOSED"));
  server_.CloseAll();
}

TEST_F(OnceTest, AnErrorIsAnAnswer) {
  const std::string open = "socket_id: 'a' type: SOCKET_TYPE_DGRAM family: FAMILY_INET ";
  ASSERT_TRUE(Ok(server_->Ask(&Stub::OpenSocket, open)));
  EXPECT_TRUE(
      Fails(server_->Ask(&Stub::OpenSocket, open + "request_id: 'r'"), StatusCode::ALREADY_EXISTS, "SOCKET_EXISTS"));
  server_.CloseAll();
  EXPECT_TRUE(
      Fails(server_->Ask(&Stub::OpenSocket, open + "request_id: 'r'"), StatusCode::ALREADY_EXISTS, "SOCKET_EXISTS"));
}

TEST_F(OnceTest, AnIdStandsForOneRequestOfOneSession) {
  const std::string open = "type: SOCKET_TYPE_DGRAM family: FAMILY_INET request_id: 'r' ";
  ASSERT_TRUE(Ok(server_->Ask(&Stub::OpenSocket, open)));
  auto other = server_->Ask(&Stub::OpenSocket, open + "labels { key: 'x' value: '1' }");
  EXPECT_TRUE(Fails(other, StatusCode::INVALID_ARGUMENT, "REQUEST_ID_REUSED"));
  EXPECT_EQ(other.problem().Given("field"), "request_id");
  // The same bytes of another method are another request.
  EXPECT_TRUE(Fails(server_->Ask(&SessionStub::CreateSession, "request_id: 'r'"), StatusCode::INVALID_ARGUMENT,
                    "REQUEST_ID_REUSED"));
  ASSERT_TRUE(Ok(server_->Ask(&SessionStub::CreateSession, "session_id: 'other'")));
  auto there = server_.AnotherCaller("sessions/other").Ask(&Stub::OpenSocket, open);
  ASSERT_TRUE(Ok(there));
  EXPECT_EQ(there->socket().session(), "sessions/other");
  EXPECT_EQ(server_->Ask(&Stub::ListSockets, "")->sockets_size(), 2);
  EXPECT_TRUE(
      Refuses(server_->Ask(&Stub::OpenSocket, "type: SOCKET_TYPE_DGRAM request_id: '" + std::string(129, 'x') + "'"),
              "request_id"));
  server_.CloseAll();
}

TEST_F(OnceTest, TheLastOnesAreRemembered) {
  const auto create = [this](int i) {
    const std::string n = std::to_string(i);
    return server_->Ask(&SessionStub::CreateSession, "session_id: 'a" + n + "' request_id: 'r" + n + "'");
  };
  for (int i = 0; i < 1'024; ++i) {
    ASSERT_TRUE(Ok(create(i)));
    ASSERT_TRUE(Ok(server_->Ask(&SessionStub::EndSession, "name: 'sessions/a" + std::to_string(i) + "'")));
  }
  EXPECT_TRUE(Ok(create(0)));
  EXPECT_EQ(server_->GetHost()->usage().sessions(), 1u) << "the first answer, not a second session";
  EXPECT_TRUE(Ok(create(1'024)));
  EXPECT_TRUE(Ok(create(0)));
  EXPECT_EQ(server_->GetHost()->usage().sessions(), 3u) << "the oldest is forgotten";
}

TEST_F(OnceTest, ARefusalThatBeganNothingIsNotRemembered) {
  const std::string bind =
      "name: 'sockets/later' local { unix_domain { abstract_name: 'once-later' } } request_id: 'b'";
  EXPECT_TRUE(Fails(server_->Ask(&Stub::BindSocket, bind), StatusCode::NOT_FOUND, "SOCKET_NOT_FOUND"));
  ASSERT_TRUE(Ok(server_->Ask(&Stub::OpenSocket, "socket_id: 'later' type: SOCKET_TYPE_DGRAM family: FAMILY_UNIX")));
  EXPECT_TRUE(Ok(server_->Ask(&Stub::BindSocket, bind)));
  EXPECT_TRUE(Ok(server_->Ask(&Stub::BindSocket, bind))) << "this one is";
  server_.CloseAll();
}

class JoinTest : public OnceTest {
 protected:
  bool CallsAre(uint32_t calls) {
    return testing::Eventually([&] { return server_->GetHost()->usage().calls() == calls + 1; },
                               "the API has no event for a call that began to wait");
  }
};

class JoinedOpen : public JoinTest {
 protected:
  // A connect that waits: to a listener whose backlog is full.
  void SetUp() override {
    auto listener =
        server_->Ask(&Stub::OpenSocket, "socket_id: 'l' type: SOCKET_TYPE_STREAM bind { unix_domain { path: '" +
                                            server_.dir().File("l") + "' } } listen { backlog: 0 }");
    ASSERT_TRUE(Ok(listener));
    connect_ = "type: SOCKET_TYPE_STREAM connect { unix_domain { path: '" + server_.dir().File("l") + "' } } ";
    ASSERT_TRUE(Ok(server_->Ask(&Stub::OpenSocket, connect_)));
  }
  void TearDown() override { server_.CloseAll(); }

  std::string connect_;
};

// A close is not taken back with its caller: the repeat learns what became of it.
TEST_F(JoinTest, ACloseGoesOnWithoutItsCaller) {
  const std::string stream = "type: SOCKET_TYPE_STREAM options { linger { enabled: true seconds: 60 } } ";
  auto listener =
      server_->Ask(&Stub::OpenSocket, stream + "socket_id: 'l' bind { inet { ip: '127.0.0.1' } } listen {}");
  ASSERT_TRUE(Ok(listener));
  ASSERT_TRUE(Ok(server_->Ask(
      &Stub::OpenSocket, stream + "socket_id: 'c' connect { " + listener->socket().local().ShortDebugString() + " }")));
  ASSERT_TRUE(Ok(server_->Ask(&Stub::AcceptSocket, "name: 'sockets/l' socket_id: 'p'")));
  const std::string send = "name: 'sockets/c' mode: MODE_WHOLE timeout {} data: '" + std::string(200'000, 'x') + "'";
  while (!server_->Ask(&Stub::SendData, send)->timed_out()) {
  }
  const std::string close = "name: 'sockets/c' request_id: 'r'";
  auto first = server_->Start(&AsyncStub::CloseSocket, close);
  ASSERT_TRUE(CallsAre(1));
  first.Cancel();
  EXPECT_EQ(first.Wait().status.error_code(), StatusCode::CANCELLED);
  ASSERT_TRUE(CallsAre(0));
  auto repeat = server_->Start(&AsyncStub::CloseSocket, close);
  ASSERT_TRUE(CallsAre(1));
  while (!server_->Ask(&Stub::ReceiveData, "name: 'sockets/p' max_bytes: 262144")->end_of_stream()) {
  }
  ASSERT_TRUE(Ok(repeat.Wait()));
  EXPECT_EQ(repeat.Wait()->socket().state(), v1::STATE_CLOSED);
  server_.CloseAll();
}

TEST_F(JoinedOpen, ARepeatJoinsTheRunningCall) {
  const Caller second = server_.AnotherCaller();
  auto first = server_->Start(&AsyncStub::OpenSocket, connect_ + "request_id: 'r'");
  ASSERT_TRUE(CallsAre(1));
  auto joined = second.Start(&AsyncStub::OpenSocket, connect_ + "request_id: 'r'");
  auto given_up = second.Start(&AsyncStub::OpenSocket, connect_ + "request_id: 'r'");
  ASSERT_TRUE(CallsAre(3));
  given_up.Cancel();
  EXPECT_EQ(given_up.Wait().status.error_code(), StatusCode::CANCELLED);
  EXPECT_FALSE(first.Ended());
  ASSERT_TRUE(Ok(server_->Ask(&Stub::AcceptSocket, "name: 'sockets/l'")));
  ASSERT_TRUE(Ok(first.Wait()));
  ASSERT_TRUE(Ok(joined.Wait()));
  EXPECT_EQ(joined.Wait()->socket().name(), first.Wait()->socket().name());
}

// The first one's connection broke: what it began is taken up by the repeat, not given up with it.
TEST_F(JoinedOpen, ARepeatOutlivesACancelledFirstOne) {
  auto first = server_->Start(&AsyncStub::OpenSocket, connect_ + "request_id: 'r'");
  ASSERT_TRUE(CallsAre(1));
  auto repeat = server_->Start(&AsyncStub::OpenSocket, connect_ + "request_id: 'r'");
  ASSERT_TRUE(CallsAre(2));
  first.Cancel();
  EXPECT_EQ(first.Wait().status.error_code(), StatusCode::CANCELLED);
  ASSERT_TRUE(CallsAre(1));
  ASSERT_TRUE(Ok(server_->Ask(&Stub::AcceptSocket, "name: 'sockets/l'")));
  ASSERT_TRUE(Ok(repeat.Wait()));
}

TEST_F(JoinedOpen, AJoinedCallEndsWithTheDaemon) {
  auto first = server_->Start(&AsyncStub::OpenSocket, connect_ + "request_id: 'r'");
  ASSERT_TRUE(CallsAre(1));
  auto joined = server_->Start(&AsyncStub::OpenSocket, connect_ + "request_id: 'r'");
  ASSERT_TRUE(CallsAre(2));
  server_.Drain(std::chrono::seconds(20));
  EXPECT_TRUE(Fails(first.Wait(), StatusCode::UNAVAILABLE, "DRAINING"));
  EXPECT_TRUE(Fails(joined.Wait(), StatusCode::UNAVAILABLE, "DRAINING"));
}

}  // namespace
}  // namespace socketeer
