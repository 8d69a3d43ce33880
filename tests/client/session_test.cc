#include "socketeer/session.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "gmock/gmock.h"
#include "grpcpp/test/client_context_test_peer.h"
#include "gtest/gtest.h"
#include "socketeer/error.h"
#include "socketeer/host.h"
#include "tests/client/fake_daemon.h"
#include "tests/client/fake_status.h"
#include "tests/client/mocks.h"
#include "tests/support/eventually.h"

namespace socketeer {
namespace {

using ::testing::_;
using ::testing::ElementsAre;
using ::testing::Invoke;
using ::testing::Return;

v1::CreateSessionRequest WithId(const std::string& id) {
  v1::CreateSessionRequest request;
  request.set_session_id(id);
  return request;
}

grpc::Status Ended() { return DaemonStatus(grpc::StatusCode::ABORTED, "SESSION_ENDED", v1::ORIGIN_REGISTRY); }

class SessionTest : public ::testing::Test {
 protected:
  Session Created(const std::string& id) { return host_.CreateSession(WithId(id)).value(); }

  FakeDaemon daemon_;
  Host host_ = Host::Connect(daemon_.endpoint()).value();
};

TEST_F(SessionTest, IsHeldAndEndedOnceHoweverItMoves) {
  {
    Session a = Created("a");
    EXPECT_EQ(daemon_.holds().AwaitBegun().request.name(), "sessions/a");
    Session moved = std::move(a);
    EXPECT_EQ(moved.name(), "sessions/a");
    EXPECT_TRUE(moved.Held().ok());
    moved = Created("b");
    EXPECT_EQ(daemon_.holds().AwaitBegun().request.name(), "sessions/b");
    EXPECT_THAT(daemon_.ended(), ElementsAre("sessions/a"));
  }
  for (int holds = 0; holds < 2; ++holds) daemon_.holds().AwaitLeft();
  EXPECT_THAT(daemon_.ended(), ElementsAre("sessions/a", "sessions/b"));
}

TEST_F(SessionTest, ReleasedLivesOn) {
  Created("a").Release();
  EXPECT_THAT(daemon_.ended(), ElementsAre());
}

TEST_F(SessionTest, EndIsTheLastEnd) {
  {
    Session session = Created("a");
    EXPECT_EQ(session.End()->name(), "sessions/a");
  }
  EXPECT_THAT(daemon_.ended(), ElementsAre("sessions/a"));
}

TEST_F(SessionTest, IsHeldAgainWhenTheConnectionBroke) {
  const Session session = Created("a");
  for (int times = 0; times < 2; ++times) {
    daemon_.holds().AwaitBegun();
    daemon_.holds().End(grpc::Status(grpc::StatusCode::UNAVAILABLE, "Socket closed"));
  }
  daemon_.holds().AwaitBegun();
  EXPECT_TRUE(testing::Eventually([&] { return session.Held().ok(); }, "Held is asked, it tells nobody"));
}

TEST_F(SessionTest, TellsThatItEnded) {
  const Session session = Created("a");
  daemon_.holds().End(Ended());
  EXPECT_TRUE(testing::Eventually([&] { return ReasonOf(session.Held()) == "SESSION_ENDED"; },
                                  "Held is asked, it tells nobody"));
}

TEST_F(SessionTest, AHoldTellsEachTimeThatItHolds) {
  Cancellation cancellation;
  SessionHold hold = host_.HoldSession("sessions/a", {.timeout = std::nullopt, .cancellation = &cancellation});
  v1::HoldSessionResponse answer;
  answer.mutable_session()->set_name("sessions/a");
  daemon_.holds().Answer(answer);
  EXPECT_EQ(hold.Next()->name(), "sessions/a");
  daemon_.holds().End(grpc::Status(grpc::StatusCode::UNAVAILABLE, "Socket closed"));
  EXPECT_EQ(Classify(hold.Next().status()), ErrorKind::kUnreachable);
  daemon_.holds().Answer(answer);
  EXPECT_EQ(hold.Next()->name(), "sessions/a");
  cancellation.Cancel();
  EXPECT_EQ(Classify(hold.Next().status()), ErrorKind::kCancelled);
  EXPECT_EQ(Classify(hold.Next().status()), ErrorKind::kCancelled);
}

// The session in the metadata of a call; nullopt: none.
std::optional<std::string> SessionOf(grpc::ClientContext* context) {
  const auto metadata = grpc::testing::ClientContextTestPeer(context).GetSendInitialMetadata();
  const auto session = metadata.find("socketeer-session");
  return session == metadata.end() ? std::nullopt : std::optional(session->second);
}

class InSessionTest : public ::testing::Test {
 protected:
  std::shared_ptr<v1::MockSocketServiceStub> sockets_ = std::make_shared<v1::MockSocketServiceStub>();
  std::shared_ptr<v1::MockSessionServiceStub> sessions_ = std::make_shared<v1::MockSessionServiceStub>();
  std::shared_ptr<v1::MockHostServiceStub> about_ = std::make_shared<v1::MockHostServiceStub>();
  Host host_{{.sockets = sockets_, .sessions = sessions_, .host = about_, .health = nullptr}, "unix:/x"};
};

TEST_F(InSessionTest, TheCallsOfAHostAndItsSocketsNameIt) {
  const auto expect_in_a = [](grpc::ClientContext* context, auto&&...) {
    EXPECT_EQ(SessionOf(context), "sessions/a");
    return grpc::Status::OK;
  };
  EXPECT_CALL(*sockets_, OpenSocket(_, _, _)).WillOnce(Invoke(expect_in_a));
  EXPECT_CALL(*sockets_, SendData(_, _, _)).WillOnce(Invoke(expect_in_a));
  EXPECT_CALL(*sockets_, CloseSocket(_, _, _)).WillOnce(Invoke(expect_in_a));
  EXPECT_CALL(*about_, GetHost(_, _, _)).WillOnce(Invoke(expect_in_a));
  const Host in_a = host_.InSession("a").value();
  EXPECT_TRUE(in_a.Open({})->Send({}).ok());
  EXPECT_TRUE(in_a.GetHost().ok());
}

TEST_F(InSessionTest, WithoutOneNoneIsNamed) {
  EXPECT_CALL(*about_, GetHost(_, _, _)).WillOnce(Invoke([](grpc::ClientContext* context, auto&&...) {
    EXPECT_EQ(SessionOf(context), std::nullopt);
    return grpc::Status::OK;
  }));
  EXPECT_TRUE(host_.GetHost().ok());
}

TEST_F(InSessionTest, CallsAboutSessionsAreMadeInNone) {
  EXPECT_CALL(*sessions_, GetSession(_, _, _)).WillOnce(Invoke([](grpc::ClientContext* context, auto&&...) {
    EXPECT_EQ(SessionOf(context), std::nullopt);
    return grpc::Status::OK;
  }));
  EXPECT_TRUE(host_.InSession("sessions/gone")->GetSession("sessions/b").ok());
}

TEST_F(InSessionTest, AMalformedNameIsRefused) {
  for (const std::string bad : {"", "A", "sessions/", "sockets/a", "a\nb: c"}) {
    EXPECT_EQ(host_.InSession(bad).status().code(), absl::StatusCode::kInvalidArgument) << bad;
  }
}

TEST_F(InSessionTest, ANameThatCannotBeIsNoSession) {
  EXPECT_CALL(*sessions_, CreateSession(_, _, _)).WillOnce(Return(grpc::Status::OK));
  EXPECT_EQ(Classify(host_.CreateSession().status()), ErrorKind::kProtocol);
}

TEST_F(InSessionTest, ATransferredSocketIsCalledInItsNewSession) {
  EXPECT_CALL(*sockets_, TransferSocket(_, _, _))
      .WillOnce(Invoke([](grpc::ClientContext* context, const v1::TransferSocketRequest& request, v1::Socket*) {
        EXPECT_EQ(SessionOf(context), "sessions/a");
        EXPECT_EQ(request.name(), "sockets/x");
        EXPECT_EQ(request.session(), "sessions/b");
        return grpc::Status::OK;
      }));
  EXPECT_CALL(*sockets_, GetSocket(_, _, _)).WillOnce(Invoke([](grpc::ClientContext* context, auto&&...) {
    EXPECT_EQ(SessionOf(context), "sessions/b");
    return grpc::Status::OK;
  }));
  RemoteSocket socket = host_.InSession("a")->Handle("sockets/x");
  EXPECT_TRUE(socket.Transfer("sessions/b").ok());
  EXPECT_TRUE(socket.Get().ok());
}

TEST_F(InSessionTest, ListSessionsMergesThePages) {
  EXPECT_CALL(*sessions_, ListSessions(_, _, _))
      .Times(2)
      .WillRepeatedly(
          Invoke([](grpc::ClientContext*, const v1::ListSessionsRequest& request, v1::ListSessionsResponse* response) {
            response->add_sessions()->set_name("sessions/behind-" + request.page_token());
            if (request.page_token().empty()) response->set_next_page_token("a");
            return grpc::Status::OK;
          }));
  const auto all = host_.ListSessions();
  ASSERT_TRUE(all.ok()) << all.status();
  ASSERT_EQ(all->size(), 2u);
  EXPECT_EQ((*all)[1].name(), "sessions/behind-a");
}

}  // namespace
}  // namespace socketeer
