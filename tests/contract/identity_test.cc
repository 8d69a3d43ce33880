// Whose sockets are whose: the UNIX socket says uid:N, loopback TCP "anonymous"; a foreign socket looks as if it did
// not exist.
#include <unistd.h>

#include <string>

#include "tests/support/test_server.h"

namespace socketeer {
namespace {

using grpc::StatusCode;
using testing::AsyncStub;
using testing::Caller;
using testing::Fails;
using testing::Ok;
using testing::Stub;

class Identity : public ::testing::Test {
 protected:
  // What every call says about `name`, in the order of the service.
  void ExpectFromEveryCall(const Caller& caller, const std::string& name, StatusCode code, const std::string& reason) {
    const std::string at = "name: '" + name + "' ";
    EXPECT_TRUE(Fails(caller.Ask(&Stub::BindSocket, at + "local { inet { ip: '127.0.0.1' } }"), code, reason));
    EXPECT_TRUE(Fails(caller.Ask(&Stub::ConnectSocket, at + "disconnect: true"), code, reason));
    EXPECT_TRUE(Fails(caller.Ask(&Stub::ListenSocket, at), code, reason));
    EXPECT_TRUE(Fails(caller.Ask(&Stub::AcceptSocket, at), code, reason));
    EXPECT_TRUE(Fails(caller.Ask(&Stub::SendData, at), code, reason));
    EXPECT_TRUE(Fails(caller.Ask(&Stub::ReceiveData, at), code, reason));
    EXPECT_TRUE(Fails(caller.Ask(&Stub::SendDatagrams, at + "datagrams {}"), code, reason));
    EXPECT_TRUE(Fails(caller.Ask(&Stub::ReceiveDatagrams, at), code, reason));
    EXPECT_TRUE(Fails(caller.Ask(&Stub::ShutdownSocket, at + "direction: DIRECTION_BOTH"), code, reason));
    EXPECT_TRUE(Fails(caller.Ask(&Stub::GetSocketOptions, at), code, reason));
    EXPECT_TRUE(Fails(caller.Ask(&Stub::SetSocketOptions, at + "options { keepalive: true }"), code, reason));
    EXPECT_TRUE(
        Fails(caller.Ask(&Stub::AwaitSockets, "items { condition: CONDITION_READABLE " + at + "}"), code, reason));
    EXPECT_TRUE(Fails(caller.Ask(&Stub::TransferSocket, at + "session: 'sessions/standing'"), code, reason));
    EXPECT_TRUE(
        Fails(caller.Ask(&Stub::UpdateSocket, "socket { " + at + "} update_mask { paths: 'labels' }"), code, reason));
    auto close = caller.Ask(&Stub::CloseSocket, at);
    EXPECT_TRUE(Fails(close, code, reason));
    EXPECT_EQ(close.problem().error.socket(), name);
    EXPECT_EQ(close.problem().error.operation(), "close");
    EXPECT_EQ(close.problem().error.origin(), v1::ORIGIN_REGISTRY);
    EXPECT_EQ(close.problem().error.errno_number(), 0);
  }

  testing::TestServer server_{{.loops = 2, .loopback = true}};
};

TEST_F(Identity, NeverThere) {
  ExpectFromEveryCall(server_.caller(), "sockets/never", StatusCode::NOT_FOUND, "SOCKET_NOT_FOUND");
  EXPECT_TRUE(
      Fails(server_->Ask(&Stub::GetSocket, "name: 'sockets/never'"), StatusCode::NOT_FOUND, "SOCKET_NOT_FOUND"));
}

TEST_F(Identity, ClosedBefore) {
  ASSERT_TRUE(Ok(server_->Ask(&Stub::OpenSocket, "socket_id: 'gone' type: SOCKET_TYPE_STREAM family: FAMILY_INET")));
  ASSERT_TRUE(Ok(server_->Ask(&Stub::CloseSocket, "name: 'sockets/gone'")));
  ExpectFromEveryCall(server_.caller(), "sockets/gone", StatusCode::NOT_FOUND, "SOCKET_CLOSED");
  EXPECT_EQ(server_->Ask(&Stub::SendData, "name: 'sockets/gone'").problem().error.state(), v1::STATE_CLOSED);
  EXPECT_EQ(server_->Ask(&Stub::SendData, "name: 'sockets/gone'").problem().Given("why"), "OWNER");
  // What became of it is no error.
  auto gone = server_->Ask(&Stub::GetSocket, "name: 'sockets/gone'");
  ASSERT_TRUE(Ok(gone));
  EXPECT_EQ(gone->state(), v1::STATE_CLOSED);
  EXPECT_EQ(gone->close_reason(), v1::CLOSE_REASON_OWNER);
  EXPECT_GE(gone->close_time().seconds(), gone->create_time().seconds());
  EXPECT_EQ(gone->kind(), "tcp4");
}

TEST_F(Identity, AnothersLooksMissing) {
  const std::string own = "uid:" + std::to_string(getuid());
  EXPECT_EQ(server_->GetHost()->identity(), own);
  {
    const Caller stranger = server_.LoopbackCaller();
    EXPECT_EQ(stranger.GetHost()->identity(), "anonymous");

    auto mine = server_->Ask(&Stub::OpenSocket,
                             "socket_id: 'mine' type: SOCKET_TYPE_STREAM bind { inet { ip: '127.0.0.1' } } listen {}");
    ASSERT_TRUE(Ok(mine));
    EXPECT_EQ(mine->socket().owner(), own);
    ExpectFromEveryCall(stranger, "sockets/mine", StatusCode::NOT_FOUND, "SOCKET_NOT_FOUND");
    EXPECT_EQ(stranger.Ask(&Stub::ListSockets, "")->sockets_size(), 0);
    // The right uid is no key either.
    EXPECT_TRUE(Fails(stranger.Ask(&Stub::GetSocket, "name: 'sockets/mine' uid: '" + mine->socket().uid() + "'"),
                      StatusCode::NOT_FOUND, "SOCKET_NOT_FOUND"));
    auto await = stranger.Start(&AsyncStub::AwaitSockets,
                                "items { name: 'sockets/mine' condition: CONDITION_LISTENING allow_missing: true } "
                                "timeout { nanos: 20000000 }");
    EXPECT_TRUE(await.Wait()->timed_out());
    // But the name is taken: there is one space of names.
    EXPECT_TRUE(Fails(stranger.Ask(&Stub::OpenSocket, "socket_id: 'mine' type: SOCKET_TYPE_STREAM family: FAMILY_INET"),
                      StatusCode::ALREADY_EXISTS, "SOCKET_EXISTS"));

    auto theirs = stranger.Ask(&Stub::OpenSocket, "socket_id: 'theirs' type: SOCKET_TYPE_STREAM connect { " +
                                                      mine->socket().local().ShortDebugString() + " }");
    ASSERT_TRUE(Ok(theirs));
    EXPECT_EQ(theirs->socket().owner(), "anonymous");
    ExpectFromEveryCall(server_.caller(), "sockets/theirs", StatusCode::NOT_FOUND, "SOCKET_NOT_FOUND");
    EXPECT_EQ(server_->Ask(&Stub::ListSockets, "")->sockets_size(), 1);
    auto accepted = server_->Ask(&Stub::AcceptSocket, "name: 'sockets/mine'");
    ASSERT_TRUE(Ok(accepted));
    EXPECT_EQ(accepted->socket().owner(), own);
    EXPECT_TRUE(Ok(stranger.Ask(&Stub::CloseSocket, "name: 'sockets/theirs'")));
    // Closed, and still not for others to know.
    EXPECT_TRUE(
        Fails(server_->Ask(&Stub::GetSocket, "name: 'sockets/theirs'"), StatusCode::NOT_FOUND, "SOCKET_NOT_FOUND"));
    EXPECT_EQ(stranger.Ask(&Stub::GetSocket, "name: 'sockets/theirs'")->state(), v1::STATE_CLOSED);
  }
  server_.CloseAll();
}

// Connections come and go, and their descriptors' numbers with them; a caller is never taken for another.
TEST_F(Identity, OfConnectionsThatComeAndGo) {
  const std::string own = "uid:" + std::to_string(getuid());
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(server_.LoopbackCaller().GetHost()->identity(), "anonymous");
    EXPECT_EQ(server_.AnotherCaller().GetHost()->identity(), own);
  }
}

// The sockets of a caller stay when its connection ends; another connection of the same identity goes on with them.
TEST_F(Identity, IsNotTheConnection) {
  {
    const Caller first = server_.AnotherCaller();
    EXPECT_TRUE(Ok(first.Ask(&Stub::OpenSocket, "socket_id: 'kept' type: SOCKET_TYPE_DGRAM family: FAMILY_INET")));
  }
  EXPECT_TRUE(Ok(server_->Ask(&Stub::CloseSocket, "name: 'sockets/kept'")));
}

TEST_F(Identity, WrongUid) {
  auto open = server_->Ask(&Stub::OpenSocket, "socket_id: 'here' type: SOCKET_TYPE_STREAM family: FAMILY_INET");
  ASSERT_TRUE(Ok(open));
  const std::string at = "name: 'sockets/here' uid: 'other' ";
  const auto expect = [](const auto& reply) {
    EXPECT_TRUE(Fails(reply, StatusCode::FAILED_PRECONDITION, "UID_MISMATCH"));
    EXPECT_EQ(reply.problem().Given("field"), "uid");
    EXPECT_EQ(reply.problem().Given("given"), "other");
  };
  expect(server_->Ask(&Stub::BindSocket, at + "local { inet { ip: '127.0.0.1' } }"));
  expect(server_->Ask(&Stub::ListenSocket, at));
  expect(server_->Ask(&Stub::ReceiveData, at));
  expect(server_->Ask(&Stub::GetSocket, at));
  expect(server_->Ask(&Stub::SetSocketOptions, at + "options { keepalive: true }"));
  expect(server_->Ask(&Stub::AwaitSockets, "items { condition: CONDITION_READABLE " + at + " }"));
  expect(server_->Ask(&Stub::UpdateSocket, "socket { " + at + "} update_mask { paths: 'labels' }"));
  expect(server_->Ask(&Stub::CloseSocket, at));
  EXPECT_EQ(server_->Ask(&Stub::GetSocket, "name: 'sockets/here'")->ShortDebugString(),
            open->socket().ShortDebugString());
  EXPECT_TRUE(Ok(server_->Ask(&Stub::CloseSocket, "name: 'sockets/here' uid: '" + open->socket().uid() + "'")));
}

}  // namespace
}  // namespace socketeer
