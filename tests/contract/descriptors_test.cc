// A daemon that runs out of descriptors says so, keeps what it has, and serves again when there are some. (One EMFILE
// leaves gRPC's own listener deaf for good.)
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "tests/support/daemon_process.h"
#include "tests/support/rpc.h"
#include "tests/support/temp_dir.h"

namespace socketeer {
namespace {

using grpc::StatusCode;
using testing::Caller;
using testing::DaemonProcess;
using testing::Eventually;
using testing::Fails;
using testing::Ok;
using testing::Stub;

constexpr char kNumbered[] = "type: SOCKET_TYPE_DGRAM family: FAMILY_INET socket_id: 's-";

class Descriptors : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(std::filesystem::exists(testing::DaemonBinary()))
        << testing::DaemonBinary() << " is not there; SOCKETEER_BIN says where the binaries are";
  }
  static size_t OpenIn(pid_t pid) {
    const std::filesystem::directory_iterator list("/proc/" + std::to_string(pid) + "/fd");
    return static_cast<size_t>(std::distance(begin(list), end(list)));
  }

  testing::TempDir dir_;
};

TEST_F(Descriptors, SocketsUntilTheLimit) {
  DaemonProcess daemon(dir_.File("d"), 200, 0);
  ASSERT_TRUE(daemon.serves());
  const Caller caller("unix:" + dir_.File("d"));
  const uint32_t room = caller.GetHost()->limits().max_sockets();
  ASSERT_EQ(room, 100u);  // a quarter for connections, a quarter of slack
  const size_t before = OpenIn(daemon.pid());
  for (uint32_t i = 0; i < room; ++i)
    ASSERT_TRUE(Ok(caller.Ask(&Stub::OpenSocket, kNumbered + std::to_string(i) + "'")));
  auto more = caller.Ask(&Stub::OpenSocket, std::string(kNumbered) + "more'");
  EXPECT_TRUE(Fails(more, StatusCode::RESOURCE_EXHAUSTED, "LIMIT_REACHED"));
  EXPECT_EQ(more.problem().Given("limit"), "max_sockets");
  // With every socket in use there is still room for callers.
  EXPECT_TRUE(Ok(Caller("unix:" + dir_.File("d")).GetHost()));
  for (uint32_t i = 0; i < room; ++i)
    ASSERT_TRUE(Ok(caller.Ask(&Stub::CloseSocket, "name: 'sockets/s-" + std::to_string(i) + "'")));
  EXPECT_TRUE(
      Eventually([&] { return OpenIn(daemon.pid()) == before; }, "gRPC closes connections on threads of its own"));
  daemon.Signal(SIGTERM);
  EXPECT_EQ(daemon.Wait(), 0);
}

// More are in use than the daemon could know of when it started.
TEST_F(Descriptors, NoneLeft) {
  DaemonProcess daemon(dir_.File("d"), 100, 40);
  ASSERT_TRUE(daemon.serves());
  const Caller caller("unix:" + dir_.File("d"));
  ASSERT_TRUE(Ok(caller.GetHost()));
  uint32_t made = 0;
  while (true) {
    auto reply = caller.Ask(&Stub::OpenSocket, kNumbered + std::to_string(made) + "'");
    if (!reply.ok()) {
      EXPECT_TRUE(Fails(reply, StatusCode::RESOURCE_EXHAUSTED, "EMFILE"));
      EXPECT_EQ(reply.problem().error.origin(), v1::ORIGIN_KERNEL);
      EXPECT_EQ(reply.problem().error.operation(), "open");
      EXPECT_EQ(reply.problem().error.system_call(), "socket");
      break;
    }
    ++made;
    ASSERT_LT(made, 100u);
  }
  EXPECT_EQ(caller.GetHost()->usage().sockets(), made) << "a failed open left something";
  // A scope needs a descriptor too: that there is none must not be told as "no such interface".
  auto scope = caller.Ask(&Stub::BindSocket, "name: 'sockets/s-0' local { inet { ip: 'fe80::1' scope: 'lo' } }");
  EXPECT_TRUE(Fails(scope, StatusCode::RESOURCE_EXHAUSTED, "EMFILE"));
  // Callers wait, or are told; the daemon does not spin or go deaf.
  const Caller late("unix:" + dir_.File("d"));
  auto early = late.GetHost(std::chrono::milliseconds(300));
  EXPECT_FALSE(early.ok());
  EXPECT_TRUE(early.status.error_code() == StatusCode::UNAVAILABLE ||
              early.status.error_code() == StatusCode::DEADLINE_EXCEEDED);
  for (uint32_t i = 0; i < made; ++i)
    EXPECT_TRUE(Ok(caller.Ask(&Stub::CloseSocket, "name: 'sockets/s-" + std::to_string(i) + "'")));
  EXPECT_TRUE(Ok(caller.Ask(&Stub::OpenSocket, std::string(kNumbered) + "again'")));
  EXPECT_TRUE(
      Eventually([&] { return late.GetHost(std::chrono::seconds(2)).ok(); }, "gRPC connects anew when it likes"));
  EXPECT_TRUE(Ok(Caller("unix:" + dir_.File("d")).GetHost()));
  daemon.Signal(SIGTERM);
  EXPECT_EQ(daemon.Wait(), 0);
}

}  // namespace
}  // namespace socketeer
