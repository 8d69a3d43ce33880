// The daemon as a whole: health, reflection, what it says of itself.
#include <grpcpp/generic/generic_stub.h>
#include <sys/utsname.h>

#include <deque>
#include <future>
#include <string>

#include "grpc/health/v1/health.grpc.pb.h"
#include "tests/support/test_server.h"

namespace socketeer {
namespace {

using grpc::StatusCode;
using testing::Caller;
using testing::Ok;
using testing::Stub;
using testing::TestServer;

namespace health = grpc::health::v1;

TEST(Service, GetHost) {
  TestServer server({.loopback = true});
  testing::Reply<v1::Host> host;
  EXPECT_TRUE(testing::Eventually(
      [&] {
        host = server->GetHost();
        return !host.ok() || host->usage().calls() == 1;
      },
      "a call is counted until gRPC is done with it, after it has been answered"));
  ASSERT_TRUE(Ok(host));
  utsname system{};
  uname(&system);
  EXPECT_EQ(host->host_name(), system.nodename);
  EXPECT_EQ(host->kernel_release(), system.release);
  EXPECT_FALSE(host->version().empty());
  EXPECT_GT(host->clock().seconds(), 1'600'000'000);
  EXPECT_EQ(host->usage().connections(), 1u);
  EXPECT_EQ(host->usage().sockets(), 0u);
  auto later = server->GetHost();
  const auto uptime = [](const v1::Host& of) { return of.uptime().seconds() * 1e9 + of.uptime().nanos(); };
  EXPECT_GT(uptime(*later), uptime(*host));
  // Each limit is told; none is 0 by omission.
  const auto& limits = host->limits();
  for (int i = 0; i < limits.GetDescriptor()->field_count(); ++i) {
    const auto* field = limits.GetDescriptor()->field(i);
    EXPECT_TRUE(limits.GetReflection()->HasField(limits, field)) << field->name();
  }
}

TEST(Service, HealthSaysNotServingOnDrain) {
  TestServer server;
  const auto stub = health::Health::NewStub(server.caller().channel());
  health::HealthCheckRequest request;
  {
    grpc::ClientContext context;
    health::HealthCheckResponse response;
    EXPECT_TRUE(stub->Check(&context, request, &response).ok());
    EXPECT_EQ(response.status(), health::HealthCheckResponse::SERVING);
  }
  grpc::ClientContext context;
  const auto watch = stub->Watch(&context, request);
  health::HealthCheckResponse response;
  ASSERT_TRUE(watch->Read(&response));
  EXPECT_EQ(response.status(), health::HealthCheckResponse::SERVING);
  std::thread drain([&] { server.Drain(std::chrono::milliseconds(500)); });
  // A watcher hears of it before its stream is cut.
  EXPECT_TRUE(watch->Read(&response));
  EXPECT_EQ(response.status(), health::HealthCheckResponse::NOT_SERVING);
  context.TryCancel();
  watch->Finish();
  drain.join();
}

TEST(Service, ReflectionListsTheServices) {
  TestServer server;
  grpc::GenericStub stub(server.caller().channel());
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + testing::kTestDeadline);
  grpc::CompletionQueue queue;
  const auto next = [&queue] {
    void* tag = nullptr;
    bool ok = false;
    return queue.Next(&tag, &ok) && ok;
  };
  const auto stream =
      stub.PrepareCall(&context, "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", &queue);
  stream->StartCall(nullptr);
  ASSERT_TRUE(next());
  const grpc::Slice list_services("\x3a\x01*");  // field 7, list_services: "*"
  stream->Write(grpc::ByteBuffer(&list_services, 1), nullptr);
  ASSERT_TRUE(next());
  grpc::ByteBuffer answer;
  stream->Read(&answer, nullptr);
  ASSERT_TRUE(next());
  grpc::Slice slice;
  ASSERT_TRUE(answer.DumpToSingleSlice(&slice).ok());
  const std::string text(reinterpret_cast<const char*>(slice.begin()), slice.size());
  for (const char* service : {"socketeer.v1.SocketService", "socketeer.v1.HostService", "grpc.health.v1.Health"}) {
    EXPECT_NE(text.find(service), std::string::npos) << service;
  }
  grpc::Status status;
  stream->WritesDone(nullptr);
  next();
  stream->Finish(&status, nullptr);
  next();
  EXPECT_TRUE(status.ok()) << status.error_message();
  queue.Shutdown();
}

TEST(Service, DrainTakesNoMoreCallersAndGivesUpItsPaths) {
  TestServer server({.loopback = true});
  const std::string path = server.server().addresses()[0].substr(5);
  const Caller late = server.LoopbackCaller();
  auto listener = server->Ask(&Stub::OpenSocket, "type: SOCKET_TYPE_STREAM bind { unix_domain { path: '" +
                                                     server.dir().File("held") + "' } } listen {}");
  ASSERT_TRUE(Ok(listener));
  server.Drain(std::chrono::seconds(5));
  EXPECT_FALSE(std::filesystem::exists(path));
  EXPECT_FALSE(std::filesystem::exists(server.dir().File("held")));
  EXPECT_EQ(late.GetHost().status.error_code(), StatusCode::UNAVAILABLE);
  EXPECT_EQ(server->GetHost().status.error_code(), StatusCode::UNAVAILABLE);
  server.Drain(std::chrono::seconds(5));  // again is nothing
}

// Callers that go away while their calls wait: no call or descriptor is left.
TEST(Service, CallersThatVanish) {
  TestServer server({.loops = 2, .loopback = true});
  ASSERT_TRUE(
      Ok(server->Ask(&Stub::OpenSocket, "socket_id: 'u' type: SOCKET_TYPE_DGRAM bind { inet { ip: '127.0.0.1' } }")));
  for (int round = 0; round < 5; ++round) {
    std::vector<testing::Pending<v1::ReceiveDatagramsResponse>> waiting;
    {
      std::deque<Caller> callers;
      for (int i = 0; i < 5; ++i) callers.emplace_back(server.server().addresses()[0]);
      for (const Caller& caller : callers) {
        EXPECT_TRUE(Ok(caller.GetHost()));  // its connection is made
        for (int i = 0; i < 3; ++i) {
          waiting.push_back(caller.Start(&testing::AsyncStub::ReceiveDatagrams, "name: 'sockets/u'"));
        }
      }
      for (const auto& each : waiting) each.Cancel();
    }
    for (const auto& each : waiting) EXPECT_EQ(each.Wait().status.error_code(), StatusCode::CANCELLED);
  }
  ASSERT_TRUE(
      testing::Eventually([&] { return server->Ask(&Stub::GetSocket, "name: 'sockets/u'")->waiting_reads() == 0; },
                          "a cancelled call ends at the daemon after it ended here"));
  server.CloseAll();
}

TEST(Service, TwoDaemonsCannotShareAnAddress) {
  TestServer server({.loopback = true});
  for (const std::string& address : server.server().addresses()) {
    auto second = rpc::Server::Start({.listen = {address}, .limits = base::DefaultLimits(1000), .descriptors = 1000});
    EXPECT_FALSE(second.ok()) << address;
  }
  EXPECT_TRUE(Ok(server->GetHost()));
  EXPECT_TRUE(Ok(server.AnotherCaller().GetHost()));
}

// Where one of several addresses cannot be had, none is kept.
TEST(Service, AStartThatFailsLeavesNothing) {
  TestServer server;
  const std::string good = server.dir().File("good");
  auto second = rpc::Server::Start(
      {.listen = {"unix:" + good, "0.0.0.0:0"}, .limits = base::DefaultLimits(1000), .descriptors = 1000});
  ASSERT_FALSE(second.ok());
  EXPECT_FALSE(std::filesystem::exists(good));
}

}  // namespace
}  // namespace socketeer
