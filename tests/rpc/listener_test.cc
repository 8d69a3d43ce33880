#include "server/rpc/listener.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "server/net/syscalls.h"
#include "tests/support/temp_dir.h"

namespace socketeer::rpc {
namespace {

class ListenerTest : public ::testing::Test {
 protected:
  std::string Path() const { return dir_.File("socket"); }
  testing::TempDir dir_;
};

bool Answers(const net::SocketAddress& address) {
  const base::Fd fd(socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
  return connect(fd.get(), address.data(), address.size()) == 0;
}

// Closed by default (chisel #366, microsocks, RPyC CVE-2019-16328).
TEST_F(ListenerTest, RefusesEveryAddressButLoopback) {
  for (const char* endpoint : {"0.0.0.0:0", "[::]:0", "192.0.2.1:7625", "10.0.0.1:0", "[2001:db8::1]:0", "*:0", ":7625",
                               "[::ffff:127.0.0.1]:0", "example.com:80", "126.0.0.1:0", "128.0.0.1:0"}) {
    auto listener = Listen(endpoint);
    ASSERT_FALSE(listener.ok()) << endpoint;
    EXPECT_NE(listener.error().message.find(endpoint), std::string::npos) << listener.error().message;
  }
}

TEST_F(ListenerTest, RefusesWhatIsNoEndpoint) {
  for (const char* endpoint : {"", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:65536", "127.0.0.1:-1", "7625",
                               "127.0.0.1:1 ", "unix:", "[::1:0", "tcp:127.0.0.1:0"}) {
    EXPECT_FALSE(Listen(endpoint).ok()) << endpoint;
  }
  EXPECT_FALSE(Listen("unix:" + dir_.File(std::string(120, 'x'))).ok());
  EXPECT_FALSE(Listen("unix:" + dir_.File("no/such/folder/socket")).ok());
}

TEST_F(ListenerTest, LoopbackWithItsRealPort) {
  for (const char* endpoint : {"127.0.0.1:0", "[::1]:0", "localhost:0", "127.1.2.3:0"}) {
    auto listener = Listen(endpoint);
    ASSERT_TRUE(listener.ok()) << endpoint << ": " << listener.error().message;
    EXPECT_NE(listener->address.port(), 0) << endpoint;
    EXPECT_TRUE(Answers(listener->address)) << endpoint;
    EXPECT_FALSE(listener->ToString().ends_with(":0")) << listener->ToString();
  }
}

// With Nagle's algorithm two answers in a row wait for each other, 40 ms and more.
TEST_F(ListenerTest, LoopbackSendsAtOnce) {
  auto listener = Listen("127.0.0.1:0");
  ASSERT_TRUE(listener.ok()) << listener.error().message;
  ASSERT_TRUE(Answers(listener->address));
  const base::Fd accepted(accept(listener->fd.get(), nullptr, nullptr));
  int on = 0;
  socklen_t size = sizeof(on);
  ASSERT_EQ(getsockopt(accepted.get(), IPPROTO_TCP, TCP_NODELAY, &on, &size), 0);
  EXPECT_NE(on, 0);
}

// With SO_REUSEPORT, as gRPC sets it by itself, both would start, and callers would meet one or the other.
TEST_F(ListenerTest, TwoCannotHaveOnePort) {
  auto first = Listen("127.0.0.1:0");
  ASSERT_TRUE(first.ok());
  auto second = Listen(first->ToString());
  ASSERT_FALSE(second.ok());
  EXPECT_NE(second.error().message.find("Address already in use"), std::string::npos) << second.error().message;
}

TEST_F(ListenerTest, UnixPathInEachSpelling) {
  for (const std::string& endpoint : {"unix:" + Path(), Path()}) {
    auto listener = Listen(endpoint);
    ASSERT_TRUE(listener.ok()) << listener.error().message;
    EXPECT_EQ(listener->ToString(), "unix:" + Path());
    EXPECT_TRUE(Answers(listener->address));
    listener->path.Remove(net::KernelSyscalls());
    EXPECT_FALSE(std::filesystem::exists(Path()));
  }
}

TEST_F(ListenerTest, TakesOverAPathAtWhichNobodyAnswers) {
  {
    auto dead = Listen(Path());
    ASSERT_TRUE(dead.ok());
  }  // closed without removing its path, as after a crash
  ASSERT_TRUE(std::filesystem::is_socket(Path()));
  auto listener = Listen(Path());
  ASSERT_TRUE(listener.ok()) << listener.error().message;
  EXPECT_TRUE(Answers(listener->address));
}

TEST_F(ListenerTest, RefusesAPathAtWhichADaemonAnswers) {
  auto live = Listen(Path());
  ASSERT_TRUE(live.ok());
  auto second = Listen(Path());
  ASSERT_FALSE(second.ok());
  EXPECT_NE(second.error().message.find("another daemon"), std::string::npos) << second.error().message;
  EXPECT_TRUE(Answers(live->address));
}

// One whose queue is full lives too.
TEST_F(ListenerTest, RefusesAPathWhoseDaemonIsBusy) {
  const auto address = *net::SocketAddress::UnixPath(Path());
  const base::Fd busy(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  ASSERT_EQ(bind(busy.get(), address.data(), address.size()), 0);
  ASSERT_EQ(listen(busy.get(), 0), 0);
  const base::Fd caller(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  ASSERT_EQ(connect(caller.get(), address.data(), address.size()), 0);
  EXPECT_FALSE(Listen(Path()).ok());
  EXPECT_TRUE(std::filesystem::is_socket(Path()));
}

// gvisor-tap-vsock #681: a path removed without looking what it is.
TEST_F(ListenerTest, LeavesWhatIsNoSocketAlone) {
  std::ofstream(Path()) << "precious";
  EXPECT_FALSE(Listen(Path()).ok());
  std::string content;
  std::ifstream(Path()) >> content;
  EXPECT_EQ(content, "precious");
  std::filesystem::remove(Path());

  std::filesystem::create_directory(Path());
  EXPECT_FALSE(Listen(Path()).ok());
  EXPECT_TRUE(std::filesystem::is_directory(Path()));
}

TEST_F(ListenerTest, LeavesALinkAlone) {
  auto elsewhere = Listen(dir_.File("elsewhere"));
  elsewhere->fd.reset();  // a socket at which nobody answers
  std::filesystem::create_symlink(dir_.File("elsewhere"), Path());
  EXPECT_FALSE(Listen(Path()).ok());
  EXPECT_TRUE(std::filesystem::is_symlink(Path()));
  EXPECT_TRUE(std::filesystem::is_socket(dir_.File("elsewhere")));
}

TEST_F(ListenerTest, RemovesOnlyItsOwnPath) {
  auto listener = Listen(Path());
  ASSERT_TRUE(listener.ok());
  std::filesystem::remove(Path());
  std::ofstream(Path()) << "new owner";
  listener->path.Remove(net::KernelSyscalls());
  EXPECT_TRUE(std::filesystem::is_regular_file(Path()));
}

}  // namespace
}  // namespace socketeer::rpc
