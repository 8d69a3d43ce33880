// Sessions through the API: who lives how long, and what ends with whom.
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

constexpr char kUdp[] = "type: SOCKET_TYPE_DGRAM bind { inet { ip: '127.0.0.1' } } ";

class SessionTest : public ::testing::Test {
 protected:
  std::string Create(const std::string& request) {
    auto created = server_->Ask(&SessionStub::CreateSession, request);
    EXPECT_TRUE(Ok(created));
    return created->name();
  }
  v1::CloseReason WhyClosed(const std::string& id) {
    auto closed = server_->Ask(&Stub::GetSocket, "name: 'sockets/" + id + "'");
    EXPECT_EQ(closed->state(), v1::STATE_CLOSED) << closed;
    return closed->close_reason();
  }
  // Waits until the socket is closed.
  bool Closes(const std::string& id) {
    auto closed = server_->Ask(&Stub::AwaitSockets, "items { name: 'sockets/" + id + "' condition: CONDITION_CLOSED }");
    return closed.ok() && closed->results_size() == 1;
  }

  TestServer server_{{.loops = 2, .loopback = true}};
};

TEST_F(SessionTest, TermsAreClampedAndTold) {
  auto plain = server_->Ask(&SessionStub::CreateSession, "");
  ASSERT_TRUE(Ok(plain));
  EXPECT_EQ(plain->ttl().seconds(), 60);
  EXPECT_EQ(plain->grace().seconds(), 0);
  EXPECT_EQ(plain->owner(), "uid:" + std::to_string(getuid()));
  EXPECT_EQ(plain->sockets(), 0u);
  const auto lease = plain->expire_time().seconds() - plain->create_time().seconds();
  EXPECT_TRUE(lease >= 59 && lease <= 61) << lease;

  auto least = server_->Ask(&SessionStub::CreateSession, "session_id: 'least' ttl {} grace { nanos: 5 }");
  ASSERT_TRUE(Ok(least));
  EXPECT_EQ(least->name(), "sessions/least");
  EXPECT_EQ(least->ttl().seconds(), 1);
  EXPECT_EQ(least->grace().nanos(), 5);
  auto most =
      server_->Ask(&SessionStub::CreateSession, "ttl { seconds: 9223372036854775807 } grace { seconds: 86401 }");
  ASSERT_TRUE(Ok(most));
  EXPECT_EQ(most->ttl().seconds(), 86'400);
  EXPECT_EQ(most->grace().seconds(), 86'400);
}

TEST_F(SessionTest, BadRequests) {
  const auto create = [this](const std::string& text) { return server_->Ask(&SessionStub::CreateSession, text); };
  EXPECT_TRUE(Refuses(create("session_id: 'No'"), "session_id"));
  EXPECT_TRUE(Refuses(create("session_id: 'standing'"), "session_id"));
  EXPECT_TRUE(Refuses(create("ttl { seconds: -1 }"), "ttl"));
  EXPECT_TRUE(Refuses(create("ttl { nanos: 1000000000 }"), "ttl"));
  EXPECT_TRUE(Refuses(create("grace { nanos: -1 }"), "grace"));
  Create("session_id: 'taken'");
  EXPECT_TRUE(Fails(create("session_id: 'taken'"), StatusCode::ALREADY_EXISTS, "SESSION_EXISTS"));
  for (const char* name : {"", "taken", "sessions/", "sessions/No", "sockets/taken"}) {
    const std::string at = std::string("name: '") + name + "'";
    EXPECT_TRUE(Refuses(server_->Ask(&SessionStub::GetSession, at), "name")) << name;
    EXPECT_TRUE(Refuses(server_->Ask(&SessionStub::EndSession, at), "name")) << name;
  }
  EXPECT_TRUE(Fails(server_->Ask(&SessionStub::GetSession, "name: 'sessions/never'"), StatusCode::NOT_FOUND,
                    "SESSION_NOT_FOUND"));
  EXPECT_TRUE(Refuses(server_->Ask(&SessionStub::ListSessions, "page_size: -1"), "page_size"));
  EXPECT_TRUE(Refuses(server_->Ask(&SessionStub::ListSessions, "page_token: 'x'"), "page_token"));
  EXPECT_TRUE(Refuses(server_.AnotherCaller("taken").Ask(&Stub::ListSockets, ""), "socketeer-session"));
  EXPECT_TRUE(Fails(server_.AnotherCaller("sessions/never").Ask(&Stub::ListSockets, ""), StatusCode::NOT_FOUND,
                    "SESSION_NOT_FOUND"));
}

TEST_F(SessionTest, SocketsLiveWhereTheCallSays) {
  Create("session_id: 'work'");
  const Caller work = server_.AnotherCaller("sessions/work");
  auto listener = work.Ask(&Stub::OpenSocket, "type: SOCKET_TYPE_STREAM bind { inet { ip: '127.0.0.1' } } listen {}");
  ASSERT_TRUE(Ok(listener));
  EXPECT_EQ(listener->socket().session(), "sessions/work");
  const std::string at = "name: '" + listener->socket().name() + "' ";
  auto client = server_->Ask(
      &Stub::OpenSocket, "type: SOCKET_TYPE_STREAM connect { " + listener->socket().local().ShortDebugString() + " }");
  EXPECT_EQ(client->socket().session(), "sessions/standing");
  // What is accepted lives with its listener, unless the call says otherwise.
  EXPECT_EQ(server_->Ask(&Stub::AcceptSocket, at)->socket().session(), "sessions/work");
  EXPECT_EQ(server_->Ask(&SessionStub::GetSession, "name: 'sessions/work'")->sockets(), 2u);
  EXPECT_EQ(server_->GetHost()->usage().sessions(), 2u);
  auto ended = server_->Ask(&SessionStub::EndSession, "name: 'sessions/work'");
  ASSERT_TRUE(Ok(ended));
  EXPECT_EQ(ended->session().sockets(), 2u);
  EXPECT_EQ(server_->Ask(&Stub::ListSockets, "")->sockets_size(), 1);
  server_.CloseAll();
}

TEST_F(SessionTest, EndClosesWhatIsInItAndEndsWhatWaits) {
  Create("session_id: 'work' grace { seconds: 3600 }");
  Create("session_id: 'other'");
  const Caller work = server_.AnotherCaller("sessions/work");
  ASSERT_TRUE(Ok(work.Ask(&Stub::OpenSocket, std::string("socket_id: 'a' ") + kUdp)));
  ASSERT_TRUE(Ok(work.Ask(&Stub::OpenSocket, std::string("socket_id: 'kept' ") + kUdp)));
  auto moved = server_->Ask(&Stub::TransferSocket, "name: 'sockets/kept' session: 'sessions/other'");
  ASSERT_TRUE(Ok(moved));
  EXPECT_EQ(moved->session(), "sessions/other");
  auto receive = server_->Start(&AsyncStub::ReceiveDatagrams, "name: 'sockets/a'");
  auto kept = server_->Start(&AsyncStub::ReceiveDatagrams, "name: 'sockets/kept'");
  auto name = work.Start(&AsyncStub::AwaitSockets,
                         "items { name: 'sockets/never' condition: CONDITION_CLOSED allow_missing: true }");
  ASSERT_TRUE(testing::Eventually(
      [&] { return server_->Ask(&SessionStub::GetSession, "name: 'sessions/work'")->holders() == 2; },
      "the API has no event for a call that began to wait"));

  // From within, too.
  auto ended = work.Ask(&SessionStub::EndSession, "name: 'sessions/work'");
  ASSERT_TRUE(Ok(ended));
  EXPECT_EQ(ended->session().sockets(), 1u);
  EXPECT_TRUE(Fails(receive.Wait(), StatusCode::ABORTED, "SOCKET_CLOSED"));
  EXPECT_EQ(receive.Wait().problem().Given("why"), "SESSION_ENDED");
  EXPECT_TRUE(Fails(name.Wait(), StatusCode::ABORTED, "SESSION_ENDED"));
  EXPECT_EQ(WhyClosed("a"), v1::CLOSE_REASON_SESSION_ENDED);
  EXPECT_FALSE(kept.Ended());
  for (const auto& gone :
       {work.Ask(&Stub::ListSockets, "").status, server_->Ask(&SessionStub::EndSession, "name: 'sessions/work'").status,
        server_->Ask(&Stub::TransferSocket, "name: 'sockets/kept' session: 'sessions/work'").status}) {
    EXPECT_EQ(testing::ProblemOf(gone).reason, "SESSION_ENDED");
    EXPECT_EQ(testing::ProblemOf(gone).Given("why"), "SESSION_ENDED");
  }
  // Its name is free.
  Create("session_id: 'work'");
  server_.CloseAll();
  EXPECT_TRUE(Fails(kept.Wait(), StatusCode::ABORTED, "SOCKET_CLOSED"));
}

// The session that the listener was in when the accept began may be gone when a connection comes.
TEST_F(SessionTest, AnAcceptFollowsItsListener) {
  Create("session_id: 'old'");
  Create("session_id: 'new'");
  auto listener = server_.AnotherCaller("sessions/old")
                      .Ask(&Stub::OpenSocket,
                           "socket_id: 'l' type: SOCKET_TYPE_STREAM bind { inet { ip: '127.0.0.1' } } listen {}");
  ASSERT_TRUE(Ok(listener));
  auto accept = server_->Start(&AsyncStub::AcceptSocket, "name: 'sockets/l'");
  ASSERT_TRUE(
      testing::Eventually([&] { return server_->Ask(&Stub::GetSocket, "name: 'sockets/l'")->waiting_reads() == 1; },
                          "the API has no event for a call that began to wait"));
  ASSERT_TRUE(Ok(server_->Ask(&Stub::TransferSocket, "name: 'sockets/l' session: 'sessions/new'")));
  ASSERT_TRUE(Ok(server_->Ask(&SessionStub::EndSession, "name: 'sessions/old'")));
  ASSERT_TRUE(Ok(server_->Ask(&Stub::OpenSocket, "type: SOCKET_TYPE_STREAM connect { " +
                                                     listener->socket().local().ShortDebugString() + " }")));
  ASSERT_TRUE(Ok(accept.Wait()));
  EXPECT_EQ(accept.Wait()->socket().session(), "sessions/new");
  server_.CloseAll();
}

TEST_F(SessionTest, OthersLookMissing) {
  Create("session_id: 'mine'");
  ASSERT_TRUE(Ok(server_->Ask(&Stub::OpenSocket, std::string("socket_id: 'a' ") + kUdp)));
  const Caller stranger = server_.LoopbackCaller();
  for (const auto& told : {stranger.Ask(&SessionStub::GetSession, "name: 'sessions/mine'").status,
                           stranger.Ask(&SessionStub::EndSession, "name: 'sessions/mine'").status}) {
    EXPECT_EQ(testing::ProblemOf(told).reason, "SESSION_NOT_FOUND");
  }
  // Ids are each identity's own; so is the standing session.
  auto theirs = stranger.Ask(&SessionStub::CreateSession, "session_id: 'mine'");
  ASSERT_TRUE(Ok(theirs));
  EXPECT_EQ(theirs->owner(), "anonymous");
  EXPECT_EQ(stranger.Ask(&SessionStub::ListSessions, "")->sessions_size(), 2);
  EXPECT_TRUE(Ok(stranger.Ask(&SessionStub::EndSession, "name: 'sessions/standing'")));
  EXPECT_EQ(server_->Ask(&Stub::GetSocket, "name: 'sockets/a'")->state(), v1::STATE_BOUND);
  server_.CloseAll();
}

TEST_F(SessionTest, ListsByPages) {
  for (const char* id : {"d", "b", "c", "a"}) Create(std::string("session_id: '") + id + "'");
  std::vector<std::string> names;
  std::string token;
  do {
    auto page = server_->Ask(&SessionStub::ListSessions, "page_size: 2 page_token: '" + token + "'");
    ASSERT_TRUE(Ok(page));
    EXPECT_LE(page->sessions_size(), 2);
    for (const v1::Session& each : page->sessions()) names.push_back(each.name());
    token = page->next_page_token();
  } while (!token.empty());
  const std::vector<std::string> wanted = {"sessions/a", "sessions/b", "sessions/c", "sessions/d", "sessions/standing"};
  EXPECT_EQ(names, wanted);
}

TEST_F(SessionTest, TheirNumberIsBounded) {
  TestServer server({.limits = [](base::Limits& limits) { limits.max_sessions = 2; }});
  ASSERT_TRUE(Ok(server->Ask(&SessionStub::CreateSession, "")));
  ASSERT_TRUE(Ok(server->Ask(&SessionStub::CreateSession, "")));
  auto more = server->Ask(&SessionStub::CreateSession, "");
  EXPECT_TRUE(Fails(more, StatusCode::RESOURCE_EXHAUSTED, "LIMIT_REACHED"));
  EXPECT_EQ(more.problem().Given("limit"), "max_sessions");
}

TEST_F(SessionTest, TheLeaseRunsOut) {
  Create("session_id: 'short' ttl { seconds: 1 }");
  {
    const Caller inside = server_.AnotherCaller("sessions/short");
    ASSERT_TRUE(Ok(inside.Ask(&Stub::OpenSocket, std::string("socket_id: 'a' ") + kUdp)));
  }
  EXPECT_TRUE(Closes("a"));
  EXPECT_EQ(WhyClosed("a"), v1::CLOSE_REASON_LEASE_EXPIRED);
  auto gone = server_->Ask(&SessionStub::GetSession, "name: 'sessions/short'");
  EXPECT_TRUE(Fails(gone, StatusCode::NOT_FOUND, "SESSION_ENDED"));
  EXPECT_EQ(gone.problem().Given("why"), "LEASE_EXPIRED");
}

// A call that waits, and a stream, hold it beyond its lease, over either transport.
TEST_F(SessionTest, WhatIsOpenHoldsIt) {
  for (const std::string& target : server_.server().addresses()) {
    SCOPED_TRACE(target);
    const Caller caller(target.starts_with("unix:") ? target : "ipv4:" + target);
    ASSERT_TRUE(Ok(caller.Ask(&SessionStub::CreateSession, "session_id: 'one' ttl { seconds: 1 }")));
    ASSERT_TRUE(Ok(caller.Ask(&SessionStub::CreateSession, "session_id: 'two' ttl { seconds: 1 }")));
    grpc::ClientContext context;
    auto hold =
        caller.session_stub().HoldSession(&context, testing::Text<v1::HoldSessionRequest>("name: 'sessions/one'"));
    v1::HoldSessionResponse held;
    ASSERT_TRUE(hold->Read(&held));
    EXPECT_EQ(held.session().name(), "sessions/one");
    EXPECT_EQ(held.session().holders(), 1u);
    const Caller inside(target.starts_with("unix:") ? target : "ipv4:" + target, "sessions/two");
    // Two leases and a half; nothing else happens in either session.
    EXPECT_TRUE(inside
                    .Ask(&Stub::AwaitSockets,
                         "items { name: 'sockets/never' condition: CONDITION_CLOSED allow_missing: true } "
                         "timeout { seconds: 2 nanos: 500000000 }")
                    ->timed_out());
    EXPECT_TRUE(Ok(caller.Ask(&SessionStub::GetSession, "name: 'sessions/one'")));
    EXPECT_TRUE(Ok(caller.Ask(&SessionStub::EndSession, "name: 'sessions/two'")));
    // The end of the session is the stream's.
    EXPECT_TRUE(Ok(caller.Ask(&SessionStub::EndSession, "name: 'sessions/one'")));
    EXPECT_FALSE(hold->Read(&held));
    const auto problem = testing::ProblemOf(hold->Finish());
    EXPECT_EQ(problem.code, StatusCode::ABORTED);
    EXPECT_EQ(problem.reason, "SESSION_ENDED");
    EXPECT_EQ(problem.error.operation(), "hold");
  }
}

TEST_F(SessionTest, TransferIsRefused) {
  ASSERT_TRUE(Ok(server_->Ask(&Stub::OpenSocket, std::string("socket_id: 'a' ") + kUdp)));
  const auto transfer = [this](const std::string& to) {
    return server_->Ask(&Stub::TransferSocket, "name: 'sockets/a' session: '" + to + "'");
  };
  EXPECT_TRUE(Refuses(transfer(""), "session"));
  EXPECT_TRUE(Refuses(transfer("sockets/a"), "session"));
  EXPECT_TRUE(Fails(transfer("sessions/never"), StatusCode::NOT_FOUND, "SESSION_NOT_FOUND"));
  EXPECT_TRUE(Ok(transfer("sessions/standing")));  // where it is
  server_.CloseAll();
}

}  // namespace
}  // namespace socketeer
