// WatchSockets: what a watcher is told, and how a watch ends.
#include "tests/support/test_server.h"
#include "tests/support/watcher.h"

namespace socketeer {
namespace {

using grpc::StatusCode;
using testing::Caller;
using testing::Ok;
using testing::SessionStub;
using testing::Stub;
using testing::TestServer;
using testing::Watcher;

class WatchTest : public ::testing::Test {
 protected:
  v1::Socket Open(const Caller& caller, const std::string& id) {
    auto opened = caller.Ask(&Stub::OpenSocket, "socket_id: '" + id + "' type: SOCKET_TYPE_STREAM family: FAMILY_INET");
    EXPECT_TRUE(Ok(opened));
    return opened->socket();
  }
  v1::Socket Open(const std::string& id) { return Open(server_.caller(), id); }
  void Label(const Caller& caller, const std::string& id, int value) {
    auto updated =
        caller.Ask(&Stub::UpdateSocket, "socket { name: 'sockets/" + id + "' labels { key: 'n' value: '" +
                                            std::to_string(value) + "' } } update_mask { paths: 'labels.n' }");
    EXPECT_TRUE(Ok(updated));
  }

  TestServer server_{{.loops = 2, .loopback = true}};
};

TEST_F(WatchTest, ASnapshotThenEachChange) {
  Open("old");
  Watcher watcher(server_.caller());
  const auto snapshot = watcher.Next();
  ASSERT_TRUE(snapshot);
  EXPECT_TRUE(snapshot->snapshot_complete());
  ASSERT_EQ(snapshot->changes_size(), 1);
  EXPECT_EQ(snapshot->changes(0).kind(), v1::CHANGE_KIND_SNAPSHOT);
  EXPECT_EQ(snapshot->changes(0).revision(), snapshot->revision());
  EXPECT_EQ(snapshot->changes(0).socket().name(), "sockets/old");
  uint64_t revision = snapshot->revision();
  const auto next = [&](v1::ChangeKind kind, const std::string& name) {
    const v1::SocketChange change = watcher.NextChange();
    EXPECT_EQ(change.kind(), kind) << change.ShortDebugString();
    EXPECT_EQ(change.socket().name(), name);
    EXPECT_EQ(change.revision(), ++revision);
    return change.socket();
  };

  Open("new");
  EXPECT_EQ(next(v1::CHANGE_KIND_OPENED, "sockets/new").state(), v1::STATE_CREATED);
  server_->Ask(&Stub::BindSocket, "name: 'sockets/new' local { inet { ip: '127.0.0.1' } }");
  EXPECT_GT(next(v1::CHANGE_KIND_UPDATED, "sockets/new").local().inet().port(), 0u);
  server_->Ask(&Stub::ListenSocket, "name: 'sockets/new'");
  EXPECT_EQ(next(v1::CHANGE_KIND_UPDATED, "sockets/new").state(), v1::STATE_LISTENING);
  Label(server_.caller(), "new", 1);
  EXPECT_EQ(next(v1::CHANGE_KIND_UPDATED, "sockets/new").labels().at("n"), "1");
  Label(server_.caller(), "new", 1);  // what changes nothing is no change
  ASSERT_TRUE(Ok(server_->Ask(&SessionStub::CreateSession, "session_id: 's'")));
  server_->Ask(&Stub::TransferSocket, "name: 'sockets/new' session: 'sessions/s'");
  EXPECT_EQ(next(v1::CHANGE_KIND_UPDATED, "sockets/new").session(), "sessions/s");
  server_->Ask(&SessionStub::EndSession, "name: 'sessions/s'");
  const v1::Socket closed = next(v1::CHANGE_KIND_CLOSED, "sockets/new");
  EXPECT_EQ(closed.state(), v1::STATE_CLOSED);
  EXPECT_EQ(closed.close_reason(), v1::CLOSE_REASON_SESSION_ENDED);
  server_.CloseAll();
  EXPECT_EQ(next(v1::CHANGE_KIND_CLOSED, "sockets/old").close_reason(), v1::CLOSE_REASON_OWNER);
}

TEST_F(WatchTest, ItGoesOnBehindARevision) {
  uint64_t revision = 0;
  {
    Watcher watcher(server_.caller());
    const auto snapshot = watcher.Next();
    EXPECT_EQ(snapshot->changes_size(), 0);
    EXPECT_TRUE(snapshot->snapshot_complete());
    revision = snapshot->revision();
  }
  Open("a");
  Open("b");
  Watcher watcher(server_.AnotherCaller(), revision);
  const auto missed = watcher.Next();
  ASSERT_TRUE(missed);
  ASSERT_EQ(missed->changes_size(), 2);
  EXPECT_FALSE(missed->snapshot_complete());
  EXPECT_EQ(missed->changes(0).socket().name(), "sockets/a");
  EXPECT_EQ(missed->changes(1).revision(), revision + 2);
  EXPECT_EQ(missed->revision(), revision + 2);
  // It says at once that it stands, also when there is nothing to tell.
  Watcher idle(server_.AnotherCaller(), revision + 2);
  const auto stands = idle.Next();
  ASSERT_TRUE(stands);
  EXPECT_EQ(stands->changes_size(), 0);
  EXPECT_EQ(stands->revision(), revision + 2);
  server_.CloseAll();
}

TEST_F(WatchTest, ARevisionThatIsNotRemembered) {
  const uint64_t now = Watcher(server_.caller()).Next()->revision();
  for (const uint64_t revision : {uint64_t{0}, uint64_t{1}, now + 1, ~uint64_t{0}}) {
    Watcher watcher(server_.caller(), revision);
    const auto problem = watcher.End();
    EXPECT_EQ(problem.code, StatusCode::OUT_OF_RANGE) << revision;
    EXPECT_EQ(problem.reason, "REVISION_TOO_OLD");
    EXPECT_EQ(problem.Given("given"), std::to_string(revision));
    EXPECT_EQ(problem.error.operation(), "watch");
  }
}

TEST_F(WatchTest, AResetIsOneChangeAndKeepsThePeer) {
  ASSERT_TRUE(Ok(server_->Ask(&Stub::OpenSocket,
                              "socket_id: 'l' type: SOCKET_TYPE_STREAM bind { inet { ip: "
                              "'127.0.0.1' } } listen {}")));
  auto listener = server_->Ask(&Stub::GetSocket, "name: 'sockets/l'");
  v1::OpenSocketRequest connect;
  connect.set_type(v1::SOCKET_TYPE_STREAM);
  connect.set_socket_id("c");
  *connect.mutable_connect() = listener->local();
  connect.mutable_options()->mutable_linger()->set_enabled(true);
  ASSERT_TRUE(Ok(server_->Ask(&Stub::OpenSocket, connect.ShortDebugString())));
  auto accepted = server_->Ask(&Stub::AcceptSocket, "name: 'sockets/l' socket_id: 'p'");
  ASSERT_TRUE(Ok(accepted));
  Watcher watcher(server_.caller());
  const uint64_t revision = watcher.Next()->revision();
  ASSERT_TRUE(Ok(server_->Ask(&Stub::CloseSocket, "name: 'sockets/c'")));
  EXPECT_EQ(watcher.NextChange().socket().name(), "sockets/c");
  EXPECT_FALSE(server_->Ask(&Stub::ReceiveData, "name: 'sockets/p'").ok());
  const v1::SocketChange reset = watcher.NextChange();
  EXPECT_EQ(reset.revision(), revision + 2);
  EXPECT_EQ(reset.socket().state(), v1::STATE_DISCONNECTED);
  EXPECT_EQ(reset.socket().peer().inet().port(), accepted->socket().peer().inet().port());
  ASSERT_TRUE(Ok(server_->Ask(&Stub::CloseSocket, "name: 'sockets/p'")));
  EXPECT_EQ(watcher.NextChange().revision(), revision + 3);
  server_.CloseAll();
}

TEST_F(WatchTest, OnlyTheCallersOwn) {
  Caller stranger = server_.LoopbackCaller();
  Watcher watcher(server_.caller());
  const uint64_t revision = watcher.Next()->revision();
  Open(stranger, "theirs");
  Open("mine");
  const v1::SocketChange change = watcher.NextChange();
  EXPECT_EQ(change.socket().name(), "sockets/mine");
  EXPECT_EQ(change.revision(), revision + 2);
  // Many changes of others move the revision at which it can resume.
  for (int i = 0; i < 5'000; ++i) Label(stranger, "theirs", i);
  const auto bookmark = watcher.Next();
  ASSERT_TRUE(bookmark);
  EXPECT_EQ(bookmark->changes_size(), 0);
  EXPECT_GT(bookmark->revision(), revision + 4'000);
  stranger.Ask(&Stub::CloseSocket, "name: 'sockets/theirs'");
  server_.CloseAll();
}

// It does not read, and costs one message; the others are not held up. When it reads on, it is told.
TEST_F(WatchTest, ASlowWatcherIsEnded) {
  TestServer server({.limits = [](base::Limits& limits) { limits.max_remembered_changes = 256; }});
  // gRPC takes in no more than its window for a caller that does not read.
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  const Caller slow_caller(server.server().addresses()[0], "", arguments);
  std::string labels;
  for (int i = 0; i < 7; ++i) {
    labels += " labels { key: 'big" + std::to_string(i) + "' value: '" + std::string(255, 'x') + "' }";
  }
  ASSERT_TRUE(
      Ok(server->Ask(&Stub::OpenSocket, "socket_id: 'a' type: SOCKET_TYPE_STREAM family: FAMILY_INET" + labels)));
  Watcher slow(slow_caller);
  Watcher quick(server.caller());
  uint64_t revision = quick.Next()->revision();
  for (int i = 0; i < 1'000; ++i) {
    Label(server.caller(), "a", i);
    ASSERT_EQ(quick.NextChange().revision(), ++revision);
  }
  const auto problem = slow.End();
  EXPECT_EQ(problem.code, StatusCode::OUT_OF_RANGE);
  EXPECT_EQ(problem.reason, "REVISION_TOO_OLD");
  server.CloseAll();
}

TEST_F(WatchTest, EndsWithTheDaemon) {
  Open("a");
  Open("b");
  Watcher watcher(server_.caller());
  ASSERT_TRUE(watcher.Next());
  server_.Drain(std::chrono::seconds(20));
  // It misses nothing: what the daemon closed comes first.
  int closed = 0;
  while (closed < 2) {
    const auto response = watcher.Next();
    ASSERT_TRUE(response) << closed;
    for (const v1::SocketChange& change : response->changes()) {
      EXPECT_EQ(change.socket().close_reason(), v1::CLOSE_REASON_DRAINING);
      ++closed;
    }
  }
  const auto problem = watcher.End();
  EXPECT_EQ(problem.code, StatusCode::UNAVAILABLE);
  EXPECT_EQ(problem.reason, "DRAINING");
}

}  // namespace
}  // namespace socketeer
