#include "socketeer/remote_socket.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "socketeer/error.h"
#include "socketeer/host.h"
#include "tests/client/fake_status.h"
#include "tests/client/mocks.h"

namespace socketeer {
namespace {

using ::testing::_;
using ::testing::DoAll;
using ::testing::ElementsAre;
using ::testing::Invoke;
using ::testing::Return;
using ::testing::SetArgPointee;

class RemoteSocketTest : public ::testing::Test {
 protected:
  RemoteSocket Opened(const std::string& id) {
    v1::OpenSocketResponse response;
    response.mutable_socket()->set_name("sockets/" + id);
    response.mutable_socket()->set_uid("u-" + id);
    EXPECT_CALL(*stub_, OpenSocket(_, _, _))
        .WillOnce(DoAll(SetArgPointee<2>(response), Return(grpc::Status::OK)))
        .RetiresOnSaturation();
    return host_.Open({}).value();
  }

  // Expects that the socket is closed once, and answers with `status`.
  void ExpectClose(const std::string& id, const grpc::Status& status = grpc::Status::OK) {
    EXPECT_CALL(*stub_, CloseSocket(_, NameIs("sockets/" + id), _)).WillOnce(Return(status));
  }

  static ::testing::Matcher<const v1::CloseSocketRequest&> NameIs(const std::string& name) {
    return ::testing::Property(&v1::CloseSocketRequest::name, name);
  }

  std::shared_ptr<v1::MockSocketServiceStub> stub_ = std::make_shared<v1::MockSocketServiceStub>();
  Host host_{{.sockets = stub_, .sessions = nullptr, .host = nullptr, .health = nullptr}, "unix:/x"};
};

TEST_F(RemoteSocketTest, IsClosedOnceHoweverItMoves) {
  ExpectClose("a");
  ExpectClose("b");
  RemoteSocket a = Opened("a");
  RemoteSocket moved = std::move(a);
  moved = Opened("b");  // closes sockets/a
  EXPECT_EQ(moved.name(), "sockets/b");
}

TEST_F(RemoteSocketTest, ReleasedLivesOn) {
  EXPECT_CALL(*stub_, CloseSocket(_, _, _)).Times(0);
  Opened("a").Release();
}

TEST_F(RemoteSocketTest, CloseIsTheLastClose) {
  ExpectClose("a");
  RemoteSocket socket = Opened("a");
  EXPECT_TRUE(socket.Close().ok());
}

TEST_F(RemoteSocketTest, CloseOfWhatIsGoneOwnsNothing) {
  ExpectClose("a", DaemonStatus(grpc::StatusCode::NOT_FOUND, "SOCKET_CLOSED", v1::ORIGIN_REGISTRY));
  RemoteSocket socket = Opened("a");
  EXPECT_EQ(ReasonOf(socket.Close().status()), "SOCKET_CLOSED");
}

TEST_F(RemoteSocketTest, CloseIsTriedAgainWhenTheDaemonWasNotReached) {
  EXPECT_CALL(*stub_, CloseSocket(_, _, _))
      .WillOnce(Return(grpc::Status(grpc::StatusCode::UNAVAILABLE, "gone")))
      .WillOnce(Return(grpc::Status::OK));
  RemoteSocket socket = Opened("a");
  EXPECT_EQ(Classify(socket.Close().status()), ErrorKind::kUnreachable);
}

TEST_F(RemoteSocketTest, OutlivesItsHost) {
  ExpectClose("a");
  auto host = std::make_unique<Host>(host_);
  v1::OpenSocketResponse response;
  response.mutable_socket()->set_name("sockets/a");
  EXPECT_CALL(*stub_, OpenSocket(_, _, _)).WillOnce(DoAll(SetArgPointee<2>(response), Return(grpc::Status::OK)));
  const absl::StatusOr<RemoteSocket> socket = host->Open({});
  host.reset();
  EXPECT_TRUE(socket.ok());
}

TEST_F(RemoteSocketTest, EveryRequestNamesTheSocketAndItsUid) {
  ExpectClose("a");
  const RemoteSocket socket = Opened("a");
  EXPECT_CALL(*stub_, ListenSocket(_, _, _))
      .WillOnce(Invoke([](grpc::ClientContext*, const v1::ListenSocketRequest& request, v1::Socket* answer) {
        EXPECT_EQ(request.name(), "sockets/a");
        EXPECT_EQ(request.uid(), "u-a");
        EXPECT_EQ(request.backlog(), 7);
        answer->set_state(v1::STATE_LISTENING);
        return grpc::Status::OK;
      }));
  EXPECT_EQ(socket.Listen(7)->state(), v1::STATE_LISTENING);
}

TEST_F(RemoteSocketTest, WhatHasNoPartialResultTimesOutAsAnError) {
  ExpectClose("a");
  const RemoteSocket socket = Opened("a");
  v1::AcceptSocketResponse accepted;
  accepted.set_timed_out(true);
  EXPECT_CALL(*stub_, AcceptSocket(_, _, _)).WillOnce(DoAll(SetArgPointee<2>(accepted), Return(grpc::Status::OK)));
  EXPECT_EQ(Classify(socket.Accept().status()), ErrorKind::kTimedOut);
  v1::ConnectSocketResponse connected;
  connected.set_timed_out(true);
  EXPECT_CALL(*stub_, ConnectSocket(_, _, _)).WillOnce(DoAll(SetArgPointee<2>(connected), Return(grpc::Status::OK)));
  EXPECT_EQ(Classify(socket.Connect(v1::Endpoint()).status()), ErrorKind::kTimedOut);
  v1::ShutdownSocketResponse shut;
  shut.set_timed_out(true);
  EXPECT_CALL(*stub_, ShutdownSocket(_, _, _)).WillOnce(DoAll(SetArgPointee<2>(shut), Return(grpc::Status::OK)));
  EXPECT_EQ(Classify(socket.Shutdown(v1::DIRECTION_WRITE).status()), ErrorKind::kTimedOut);
}

TEST_F(RemoteSocketTest, AcceptedIsOwned) {
  ExpectClose("listener");
  ExpectClose("conn");
  const RemoteSocket listener = Opened("listener");
  v1::AcceptSocketResponse response;
  response.mutable_socket()->set_name("sockets/conn");
  EXPECT_CALL(*stub_, AcceptSocket(_, _, _)).WillOnce(DoAll(SetArgPointee<2>(response), Return(grpc::Status::OK)));
  EXPECT_EQ(listener.Accept()->name(), "sockets/conn");
}

TEST_F(RemoteSocketTest, LabelsBecomeAMask) {
  const RemoteSocket socket = host_.Handle("sockets/a");
  EXPECT_CALL(*stub_, UpdateSocket(_, _, _))
      .WillOnce(Invoke([](grpc::ClientContext*, const v1::UpdateSocketRequest& request, v1::Socket*) {
        EXPECT_EQ(request.socket().name(), "sockets/a");
        EXPECT_EQ(request.socket().uid(), "");
        EXPECT_EQ(request.socket().labels().at("app"), "web");
        EXPECT_THAT(request.update_mask().paths(), ElementsAre("labels.app", "labels.old"));
        return grpc::Status::OK;
      }));
  EXPECT_TRUE(socket.UpdateLabels({{"app", "web"}}, {"old"}).ok());
}

// A stream socket whose SendData takes at most `room` bytes a call, all in all `capacity`.
class SendAllTest : public RemoteSocketTest {
 protected:
  void TakeAtMost(size_t room, size_t capacity, const grpc::Status& then) {
    EXPECT_CALL(*stub_, SendData(_, _, _))
        .WillRepeatedly(Invoke([=, this](grpc::ClientContext*, const v1::SendDataRequest& request,
                                         v1::SendDataResponse* response) {
          EXPECT_LE(request.data().size(), kSendChunkBytes);
          EXPECT_EQ(request.mode(), v1::MODE_WHOLE);
          ++calls_;
          if (taken_.size() >= capacity && !then.ok()) return then;
          const size_t count = std::min({room, request.data().size(), capacity - std::min(capacity, taken_.size())});
          taken_ += request.data().substr(0, count);
          response->set_bytes_sent(count);
          response->set_timed_out(count < request.data().size());
          return grpc::Status::OK;
        }));
  }

  RemoteSocket socket_ = host_.Handle("sockets/a");
  std::string taken_;
  int calls_ = 0;
};

std::string Pattern(size_t size) {
  std::string data(size, '\0');
  for (size_t i = 0; i < size; ++i) data[i] = static_cast<char>(i * 7 + i / 251);
  return data;
}

TEST_F(SendAllTest, SendsAnySizeInChunks) {
  TakeAtMost(kSendChunkBytes, SIZE_MAX, grpc::Status::OK);
  const std::string data = Pattern(2 * kSendChunkBytes + 1);
  const absl::StatusOr<v1::SendDataResponse> total = socket_.SendAll(data);
  ASSERT_TRUE(total.ok()) << total.status();
  EXPECT_EQ(total->bytes_sent(), data.size());
  EXPECT_EQ(taken_, data);
  EXPECT_EQ(calls_, 3);
}

TEST_F(SendAllTest, GoesOnAsLongAsBytesMove) {
  TakeAtMost(1000, SIZE_MAX, grpc::Status::OK);
  const std::string data = Pattern(2500);
  const absl::StatusOr<v1::SendDataResponse> total = socket_.SendAll(data);
  ASSERT_TRUE(total.ok()) << total.status();
  EXPECT_EQ(taken_, data);
  EXPECT_FALSE(total->timed_out());
}

TEST_F(SendAllTest, GivesUpWhenNothingMoves) {
  TakeAtMost(1000, 1500, grpc::Status::OK);
  const absl::StatusOr<v1::SendDataResponse> total = socket_.SendAll(Pattern(2500));
  ASSERT_TRUE(total.ok()) << total.status();
  EXPECT_TRUE(total->timed_out());
  EXPECT_EQ(total->bytes_sent(), 1500u);
}

TEST_F(SendAllTest, AnErrorCountsAllBytesBeforeIt) {
  v1::SocketError error;
  error.set_origin(v1::ORIGIN_KERNEL);
  error.set_bytes_done(3);
  TakeAtMost(1000, 1500, DaemonStatus(grpc::StatusCode::ABORTED, "reset", "ECONNRESET", error));
  const absl::Status status = socket_.SendAll(Pattern(2500)).status();
  EXPECT_EQ(ReasonOf(status), "ECONNRESET");
  EXPECT_EQ(SocketErrorOf(status)->bytes_done(), 1503u);
}

TEST_F(SendAllTest, NoBytesAreOneCall) {
  TakeAtMost(1000, SIZE_MAX, grpc::Status::OK);
  EXPECT_TRUE(socket_.SendAll("").ok());
  EXPECT_EQ(calls_, 1);
}

TEST_F(SendAllTest, ACountThatCannotBeIsAnError) {
  v1::SendDataResponse lie;
  lie.set_bytes_sent(5);
  EXPECT_CALL(*stub_, SendData(_, _, _)).WillOnce(DoAll(SetArgPointee<2>(lie), Return(grpc::Status::OK)));
  EXPECT_EQ(Classify(socket_.SendAll("abc").status()), ErrorKind::kProtocol);
  EXPECT_CALL(*stub_, SendData(_, _, _)).WillOnce(Return(grpc::Status::OK));
  EXPECT_EQ(Classify(socket_.SendAll("abc").status()), ErrorKind::kProtocol);
}

}  // namespace
}  // namespace socketeer
