#include "socketeer/host.h"

#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/clock.h"
#include "client/lib/channel.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "socketeer/error.h"
#include "tests/client/fake_status.h"
#include "tests/client/mocks.h"

namespace socketeer {
namespace {

using ::testing::_;
using ::testing::DoAll;
using ::testing::HasSubstr;
using ::testing::Invoke;
using ::testing::Return;
using ::testing::SetArgPointee;

class HostTest : public ::testing::Test {
 protected:
  Host MakeHost(HostOptions options = {}) {
    return Host({.sockets = sockets_, .sessions = nullptr, .host = host_, .health = health_}, "unix:/x", options);
  }

  std::shared_ptr<v1::MockSocketServiceStub> sockets_ = std::make_shared<v1::MockSocketServiceStub>();
  std::shared_ptr<v1::MockHostServiceStub> host_ = std::make_shared<v1::MockHostServiceStub>();
  std::shared_ptr<grpc::health::v1::MockHealthStub> health_ = std::make_shared<grpc::health::v1::MockHealthStub>();
};

// How long from now until the call's deadline.
absl::Duration Left(const grpc::ClientContext& context) {
  return absl::FromChrono(context.deadline() - std::chrono::system_clock::now());
}

bool IsAbout(absl::Duration left, absl::Duration expected) {
  return left <= expected && left > expected - absl::Seconds(3);
}

v1::Socket Named(const std::string& name) {
  v1::Socket socket;
  socket.set_name(name);
  socket.set_uid("uid of " + name);
  return socket;
}

TEST_F(HostTest, OpenOwnsAndClosesByUid) {
  v1::OpenSocketResponse response;
  *response.mutable_socket() = Named("sockets/a");
  response.add_failed_attempts()->set_errno_name("ECONNREFUSED");
  EXPECT_CALL(*sockets_, OpenSocket(_, _, _)).WillOnce(DoAll(SetArgPointee<2>(response), Return(grpc::Status::OK)));
  EXPECT_CALL(*sockets_, CloseSocket(_, _, _))
      .WillOnce(
          Invoke([](grpc::ClientContext* context, const v1::CloseSocketRequest& request, v1::CloseSocketResponse*) {
            EXPECT_EQ(request.name(), "sockets/a");
            EXPECT_EQ(request.uid(), "uid of sockets/a");
            EXPECT_LE(Left(*context), absl::Seconds(1));
            return grpc::Status::OK;
          }));
  const absl::StatusOr<RemoteSocket> socket = MakeHost().Open({});
  ASSERT_TRUE(socket.ok()) << socket.status();
  EXPECT_EQ(socket->name(), "sockets/a");
  ASSERT_EQ(socket->failed_attempts().size(), 1u);
}

TEST_F(HostTest, OpenWaitsOnlyWhenItConnects) {
  EXPECT_CALL(*sockets_, OpenSocket(_, _, _))
      .WillOnce(Invoke([](grpc::ClientContext* context, const v1::OpenSocketRequest& request, v1::OpenSocketResponse*) {
        EXPECT_FALSE(request.has_timeout());
        EXPECT_TRUE(IsAbout(Left(*context), absl::Seconds(30)));
        return RefusedPeer();
      }))
      .WillOnce(Invoke(
          [](grpc::ClientContext* context, const v1::OpenSocketRequest& request, v1::OpenSocketResponse* response) {
            EXPECT_EQ(request.timeout().seconds(), 2);
            EXPECT_TRUE(IsAbout(Left(*context), absl::Seconds(7)));
            response->set_timed_out(true);
            return grpc::Status::OK;
          }));
  const CallOptions options{.timeout = absl::Seconds(2), .cancellation = nullptr};
  EXPECT_EQ(Classify(MakeHost().Open({}, options).status()), ErrorKind::kKernel);
  v1::OpenSocketRequest connect;
  connect.mutable_connect();
  EXPECT_EQ(Classify(MakeHost().Open(connect, options).status()), ErrorKind::kTimedOut);
}

TEST_F(HostTest, ADeadlineBoundsEveryCallThatWouldTakeLonger) {
  std::vector<absl::Duration> left;
  EXPECT_CALL(*host_, GetHost(_, _, _)).WillRepeatedly(Invoke([&](grpc::ClientContext* context, const auto&, auto*) {
    left.push_back(Left(*context));
    return grpc::Status::OK;
  }));
  EXPECT_CALL(*sockets_, AwaitSockets(_, _, _))
      .WillRepeatedly(Invoke([&](grpc::ClientContext* context, const auto& request, auto*) {
        EXPECT_FALSE(request.has_timeout());
        left.push_back(Left(*context));
        return grpc::Status::OK;
      }));
  const Host host = MakeHost();
  ASSERT_TRUE(host.GetHost({.deadline = absl::Now() + absl::Seconds(10)}).ok());
  ASSERT_TRUE(host.GetHost({.deadline = absl::Now() + absl::Hours(10)}).ok());
  ASSERT_TRUE(host.Await({}, {.deadline = absl::Now() + absl::Seconds(20)}).ok());
  ASSERT_EQ(left.size(), 3u);
  EXPECT_TRUE(IsAbout(left[0], absl::Seconds(10)));
  EXPECT_TRUE(IsAbout(left[1], absl::Seconds(30)));
  EXPECT_TRUE(IsAbout(left[2], absl::Seconds(20)));
}

TEST_F(HostTest, AwaitHasTheTimeoutThatIsNearest) {
  std::vector<absl::Duration> left;
  std::vector<v1::AwaitSocketsRequest> requests;
  EXPECT_CALL(*sockets_, AwaitSockets(_, _, _))
      .WillRepeatedly(
          Invoke([&](grpc::ClientContext* context, const v1::AwaitSocketsRequest& request, v1::AwaitSocketsResponse*) {
            left.push_back(Left(*context));
            requests.push_back(request);
            return grpc::Status::OK;
          }));
  v1::AwaitSocketsRequest own;
  own.mutable_timeout()->set_seconds(10);
  const Host with_default = MakeHost({.default_timeout = absl::Seconds(60)});
  ASSERT_TRUE(with_default.Await(own, {.timeout = absl::Milliseconds(1500)}).ok());
  ASSERT_TRUE(with_default.Await(own).ok());
  ASSERT_TRUE(with_default.Await({}).ok());
  ASSERT_TRUE(MakeHost().Await({}).ok());
  ASSERT_TRUE(with_default.Await(own, {.timeout = absl::InfiniteDuration()}).ok());
  ASSERT_TRUE(with_default.Await({}, {.timeout = absl::ZeroDuration()}).ok());

  EXPECT_EQ(requests[0].timeout().seconds(), 1);
  EXPECT_EQ(requests[0].timeout().nanos(), 500'000'000);
  EXPECT_TRUE(IsAbout(left[0], absl::Milliseconds(6500)));
  EXPECT_TRUE(IsAbout(left[1], absl::Seconds(15)));
  EXPECT_TRUE(IsAbout(left[2], absl::Seconds(65)));
  EXPECT_FALSE(requests[3].has_timeout());
  EXPECT_GT(left[3], absl::Hours(24 * 365));
  EXPECT_FALSE(requests[4].has_timeout());
  EXPECT_TRUE(requests[5].has_timeout());
  EXPECT_EQ(requests[5].timeout().seconds(), 0);
  EXPECT_TRUE(IsAbout(left[5], absl::Seconds(5)));
}

TEST_F(HostTest, ListMergesThePages) {
  EXPECT_CALL(*sockets_, ListSockets(_, _, _))
      .WillOnce(
          Invoke([](grpc::ClientContext*, const v1::ListSocketsRequest& request, v1::ListSocketsResponse* response) {
            EXPECT_EQ(request.filter(), "state = LISTENING");
            EXPECT_EQ(request.page_token(), "");
            *response->add_sockets() = Named("sockets/a");
            response->set_next_page_token("next");
            return grpc::Status::OK;
          }))
      .WillOnce(
          Invoke([](grpc::ClientContext*, const v1::ListSocketsRequest& request, v1::ListSocketsResponse* response) {
            EXPECT_EQ(request.filter(), "state = LISTENING");
            EXPECT_EQ(request.page_token(), "next");
            *response->add_sockets() = Named("sockets/b");
            return grpc::Status::OK;
          }));
  const absl::StatusOr<std::vector<v1::Socket>> all = MakeHost().List("state = LISTENING");
  ASSERT_TRUE(all.ok()) << all.status();
  ASSERT_EQ(all->size(), 2u);
  EXPECT_EQ((*all)[1].name(), "sockets/b");
}

TEST_F(HostTest, FindBorrows) {
  EXPECT_CALL(*sockets_, GetSocket(_, _, _))
      .WillOnce(DoAll(SetArgPointee<2>(Named("sockets/a")), Return(grpc::Status::OK)));
  EXPECT_CALL(*sockets_, CloseSocket(_, _, _)).Times(0);
  EXPECT_EQ(MakeHost().Find("sockets/a")->name(), "sockets/a");
}

TEST_F(HostTest, AsksAboutTheDaemon) {
  v1::Host answer;
  answer.set_version("1.2.3");
  EXPECT_CALL(*host_, GetHost(_, _, _)).WillOnce(DoAll(SetArgPointee<2>(answer), Return(grpc::Status::OK)));
  EXPECT_EQ(MakeHost().GetHost()->version(), "1.2.3");
  grpc::health::v1::HealthCheckResponse serving;
  serving.set_status(grpc::health::v1::HealthCheckResponse::SERVING);
  EXPECT_CALL(*health_, Check(_, _, _)).WillOnce(DoAll(SetArgPointee<2>(serving), Return(grpc::Status::OK)));
  EXPECT_EQ(MakeHost().CheckHealth()->status(), grpc::health::v1::HealthCheckResponse::SERVING);
}

TEST_F(HostTest, CancellationMeetsCallsUnderWayAndLaterOnes) {
  Cancellation cancellation;
  EXPECT_FALSE(Cancellation().Cancel());
  EXPECT_CALL(*sockets_, AwaitSockets(_, _, _))
      .WillOnce(Invoke([&](grpc::ClientContext*, const v1::AwaitSocketsRequest&, v1::AwaitSocketsResponse*) {
        std::thread other([&] { EXPECT_TRUE(cancellation.Cancel()); });
        other.join();
        return grpc::Status::CANCELLED;
      }));
  const CallOptions options{.timeout = std::nullopt, .cancellation = &cancellation};
  EXPECT_EQ(Classify(MakeHost().Await({}, options).status()), ErrorKind::kCancelled);
  EXPECT_FALSE(cancellation.Cancel());  // nothing is under way any more
}

TEST(HostConnect, ADaemonThatIsNotThereFailsAtOnce) {
  const absl::StatusOr<Host> host = Host::Connect("unix:/nonexistent/socketeer.sock");
  ASSERT_TRUE(host.ok()) << host.status();
  const auto start = std::chrono::steady_clock::now();
  const absl::Status status = host->List("").status();
  EXPECT_EQ(Classify(status), ErrorKind::kUnreachable);
  EXPECT_THAT(FormatError(status), HasSubstr("unix:/nonexistent/socketeer.sock: No such file"));
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5));
}

TEST(HostConnect, ACancelledHostMakesNoCall) {
  Cancellation cancellation;
  cancellation.Cancel();
  const absl::StatusOr<Host> host = Host::Connect("unix:/nonexistent/socketeer.sock");
  ASSERT_TRUE(host.ok());
  const CallOptions options{.timeout = std::nullopt, .cancellation = &cancellation};
  EXPECT_EQ(Classify(host->List("", options).status()), ErrorKind::kCancelled);
}

TEST(ParseTarget, TakesEveryForm) {
  struct Case {
    std::string text;
    std::string endpoint;
    std::string uri;
  };
  for (const Case& good : std::vector<Case>{
           {"unix:/run/x.sock", "unix:/run/x.sock", "unix:/run/x.sock"},
           {"unix:x.sock", "unix:x.sock", "unix:x.sock"},
           {"/run/x.sock", "unix:/run/x.sock", "unix:/run/x.sock"},
           {"./x.sock", "unix:./x.sock", "unix:./x.sock"},
           {"/a%41?#", "unix:/a%41?#", "unix:/a%2541%3F%23"},
           {"build-3", "build-3:7625", "dns:///build-3:7625"},
           {"build-3:1", "build-3:1", "dns:///build-3:1"},
           {"10.0.0.1", "10.0.0.1:7625", "dns:///10.0.0.1:7625"},
           {"::1", "[::1]:7625", "dns:///[::1]:7625"},
           {"[::1]", "[::1]:7625", "dns:///[::1]:7625"},
           {"[::1]:9", "[::1]:9", "dns:///[::1]:9"},
           {"[fe80::1%eth0]:9", "[fe80::1%eth0]:9", "dns:///[fe80::1%25eth0]:9"},
       }) {
    const absl::StatusOr<internal::Target> target = internal::ParseTarget(good.text);
    ASSERT_TRUE(target.ok()) << target.status();
    EXPECT_EQ(target->endpoint, good.endpoint);
    EXPECT_EQ(target->uri, good.uri);
  }
}

TEST(ParseTarget, RefusesTheRest) {
  for (const std::string& bad : {std::string(), std::string("unix:"), "/" + std::string(107, 'p'), std::string("a:0"),
                                 std::string("a:70000"), std::string("a:"), std::string("[::1"), std::string("a b"),
                                 std::string("[name]:1"), std::string("http://a:1"), std::string("a:b:c")}) {
    EXPECT_EQ(internal::ParseTarget(bad).status().code(), absl::StatusCode::kInvalidArgument) << bad;
  }
}

}  // namespace
}  // namespace socketeer
