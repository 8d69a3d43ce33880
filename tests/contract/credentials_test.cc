// What becomes of calls when the certificate that their connection was made with expires.
#include <atomic>
#include <functional>
#include <string>

#include "tests/support/certificates.h"
#include "tests/support/test_server.h"

namespace socketeer {
namespace {

using grpc::StatusCode;
using testing::AsyncStub;
using testing::Caller;
using testing::Fails;
using testing::Ok;
using testing::SessionStub;
using testing::Stub;

// The host's clocks, of which the test sets the wall's.
class SetClock : public base::Clock {
 public:
  base::MonotonicTime Now() const override { return base::SystemClock().Now(); }
  base::WallTime WallNow() const override { return base::SystemClock().WallNow() + ahead_.load(); }
  void SetAhead(std::chrono::nanoseconds ahead) { ahead_.store(ahead); }

 private:
  std::atomic<std::chrono::nanoseconds> ahead_{std::chrono::nanoseconds(0)};
};

class Expiry : public ::testing::Test {
 protected:
  static constexpr std::chrono::hours kValid{10};

  Expiry() {
    const auto daemon = ca_.Issue("DNS:localhost,IP:127.0.0.1", {.end = std::chrono::hours(1000)});
    server_ = std::make_unique<testing::TestServer>(testing::TestServerOptions{
        .loopback = true,
        .clock = &clock_,
        .credentials = {.tls = {.cert = testing::WriteFile(files_.File("cert"), daemon.cert),
                                .key = testing::WriteFile(files_.File("key"), daemon.key),
                                .client_ca = testing::WriteFile(files_.File("ca"), ca_.cert())}}});
  }

  std::unique_ptr<Caller> CallerOf(std::chrono::seconds valid, const std::string& session = "") const {
    const auto pair = ca_.Issue("URI:spiffe://lab/agent", {.end = valid});
    const auto credentials = grpc::SslCredentials({ca_.cert(), pair.key, pair.cert});
    return std::make_unique<Caller>("ipv4:" + server_->server().addresses().at(1), session, grpc::ChannelArguments(),
                                    credentials);
  }
  void LetExpire() { clock_.SetAhead(kValid + std::chrono::minutes(1)); }

  template <typename Reader>
  static void ExpectEnds(Reader& reader) {
    while (ReadOne(*reader)) {
    }
    const testing::Problem problem = testing::ProblemOf(reader->Finish());
    EXPECT_EQ(problem.code, StatusCode::UNAUTHENTICATED) << problem.message;
    EXPECT_EQ(problem.reason, "CERTIFICATE_EXPIRED");
    EXPECT_EQ(problem.error.origin(), v1::ORIGIN_POLICY);
    EXPECT_TRUE(problem.Given("expire_time").ends_with("Z")) << problem.Given("expire_time");
  }
  template <typename Response>
  static bool ReadOne(grpc::ClientReader<Response>& reader) {
    Response response;
    return reader.Read(&response);
  }
  template <typename Request, typename Response>
  static bool ReadOne(grpc::ClientReaderWriter<Request, Response>& reader) {
    Response response;
    return reader.Read(&response);
  }

  testing::TempDir files_;
  testing::TestAuthority ca_;
  SetClock clock_;
  std::unique_ptr<testing::TestServer> server_;
};

TEST_F(Expiry, EndsWhatWaitsAndNothingElse) {
  const auto caller = CallerOf(kValid), longer = CallerOf(kValid * 2);
  auto listener = caller->Ask(&Stub::OpenSocket,
                              "socket_id: 'web' type: SOCKET_TYPE_STREAM bind { inet { ip: '127.0.0.1' } } listen {}");
  ASSERT_TRUE(Ok(listener));
  auto accept = caller->Start(&AsyncStub::AcceptSocket, "name: 'sockets/web'");
  auto await = caller->Start(&AsyncStub::AwaitSockets,
                             "items { name: 'sockets/never' condition: CONDITION_LISTENING allow_missing: true }");
  const std::string conn = "socket_id: 'peer' type: SOCKET_TYPE_DGRAM bind { inet { ip: '127.0.0.1' } }";
  ASSERT_TRUE(Ok(longer->Ask(&Stub::OpenSocket, conn)));
  auto receive = longer->Start(&AsyncStub::ReceiveDatagrams, "name: 'sockets/peer'");
  ASSERT_TRUE(testing::Eventually([&] { return server_->caller().GetHost()->usage().calls() == 4; },
                                  "the API has no event for a call that began to wait"));
  LetExpire();
  for (const auto& problem : {accept.Wait().problem(), await.Wait().problem()}) {
    EXPECT_EQ(problem.code, StatusCode::UNAUTHENTICATED) << problem.message;
    EXPECT_EQ(problem.reason, "CERTIFICATE_EXPIRED");
  }
  EXPECT_FALSE(receive.Ended());
  EXPECT_TRUE(Ok(longer->GetHost()));
  // The connection is still there, and worth nothing.
  EXPECT_TRUE(Fails(caller->GetHost(), StatusCode::UNAUTHENTICATED, "CERTIFICATE_EXPIRED"));
  EXPECT_EQ(server_->caller().GetHost()->usage().sockets(), 2u) << "sockets follow their session, not the call";
  ASSERT_TRUE(Ok(longer->Ask(&Stub::CloseSocket, "name: 'sockets/peer'")));
  EXPECT_TRUE(Fails(receive.Wait(), StatusCode::ABORTED, "SOCKET_CLOSED"));
  ASSERT_TRUE(Ok(CallerOf(kValid * 2)->Ask(&Stub::CloseSocket, "name: 'sockets/web'")));  // the same identity
}

TEST_F(Expiry, EndsStreamsAndTheirSocketsGoWithTheSession) {
  const auto caller = CallerOf(kValid);
  auto made = caller->Ask(&SessionStub::CreateSession, "session_id: 'job' ttl { seconds: 1 }");
  ASSERT_TRUE(Ok(made));
  grpc::ClientContext hold_context, watch_context, attach_context;
  v1::HoldSessionRequest hold_request;
  hold_request.set_name("sessions/job");
  auto hold = caller->session_stub().HoldSession(&hold_context, hold_request);
  ASSERT_TRUE(ReadOne(*hold));
  {
    const auto in_session = CallerOf(kValid, "sessions/job");
    ASSERT_TRUE(Ok(in_session->Ask(
        &Stub::OpenSocket, "socket_id: 'web' type: SOCKET_TYPE_STREAM bind { inet { ip: '127.0.0.1' } } listen {}")));
  }
  auto watch = caller->stub().WatchSockets(&watch_context, v1::WatchSocketsRequest());
  ASSERT_TRUE(ReadOne(*watch));
  auto attach = caller->stub().AttachSocket(&attach_context);
  ASSERT_TRUE(attach->Write(testing::Text<v1::AttachSocketRequest>("open { name: 'sockets/web' }")));
  ASSERT_TRUE(ReadOne(*attach));
  EXPECT_EQ(server_->caller().GetHost()->usage().sockets(), 1u);
  LetExpire();
  ExpectEnds(hold);
  ExpectEnds(watch);
  ExpectEnds(attach);
  EXPECT_TRUE(testing::Eventually([&] { return server_->caller().GetHost()->usage().sockets() == 0; },
                                  "a lease that runs out is told to nobody who may look here"));
}

// The daemon hears over TLS too that a holder lives, for as long as nobody calls.
TEST_F(Expiry, UntilThenAConnectionHoldsItsSession) {
  const auto caller = CallerOf(kValid);
  ASSERT_TRUE(Ok(caller->Ask(&SessionStub::CreateSession, "session_id: 'job' ttl { seconds: 1 }")));
  grpc::ClientContext context;
  v1::HoldSessionRequest request;
  request.set_name("sessions/job");
  auto hold = caller->session_stub().HoldSession(&context, request);
  ASSERT_TRUE(ReadOne(*hold));
  // More than two leases, by the daemon's own clock.
  auto wait =
      server_->caller().Ask(&Stub::AwaitSockets,
                            "items { name: 'sockets/never' condition: CONDITION_LISTENING allow_missing: true } "
                            "timeout { seconds: 2 nanos: 500000000 }");
  ASSERT_TRUE(Ok(wait));
  EXPECT_TRUE(Ok(caller->Ask(&SessionStub::GetSession, "name: 'sessions/job'")));
  context.TryCancel();
  hold->Finish();
}

// A wall clock that is set back does not bring a caller back to a call that has ended, but to the next one.
TEST_F(Expiry, IsByTheWallClock) {
  const auto caller = CallerOf(kValid);
  EXPECT_TRUE(Ok(caller->GetHost()));
  LetExpire();
  EXPECT_TRUE(Fails(caller->GetHost(), StatusCode::UNAUTHENTICATED, "CERTIFICATE_EXPIRED"));
  clock_.SetAhead(std::chrono::nanoseconds(0));
  EXPECT_TRUE(Ok(caller->GetHost()));
}

}  // namespace
}  // namespace socketeer
