// The question why TLS fails comes to an end by itself, and does the caller's process no harm.
#include "client/lib/tls_probe.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <gtest/gtest.h>
#include <netdb.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <latch>
#include <thread>

#include "client/lib/probe_connection.h"
#include "tests/support/certificates.h"

namespace {

constexpr char kSlowName[] = "slow.test";
std::latch slow_name_asked(1), slow_name_may_end(1), slow_name_over(1);

}  // namespace

// In place of the C library's: of one name it knows nothing for as long as the test likes.
extern "C" int getaddrinfo(const char* host, const char* service, const addrinfo* hints, addrinfo** found) {
  if (host != nullptr && std::strcmp(host, kSlowName) == 0 && (hints->ai_flags & AI_NUMERICHOST) == 0) {
    slow_name_asked.count_down();
    slow_name_may_end.wait();
    slow_name_over.count_down();
    return EAI_AGAIN;
  }
  static const auto next = reinterpret_cast<decltype(&getaddrinfo)>(dlsym(RTLD_NEXT, "getaddrinfo"));
  return next(host, service, hints, found);
}

namespace socketeer::internal {
namespace {

constexpr absl::Duration kForEver = absl::Hours(1);

class ProbeListener {
 public:
  ProbeListener() {
    address_.sin_family = AF_INET;
    address_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address_);
    EXPECT_EQ(bind(fd_, reinterpret_cast<sockaddr*>(&address_), size), 0);
    EXPECT_EQ(listen(fd_, 1), 0);
    getsockname(fd_, reinterpret_cast<sockaddr*>(&address_), &size);
  }
  ~ProbeListener() { close(fd_); }

  std::string port() const { return std::to_string(ntohs(address_.sin_port)); }
  int Accept() const { return accept(fd_, nullptr, nullptr); }

 private:
  const int fd_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address_{};
};

Credentials WithCa() {
  Credentials credentials;
  credentials.ca = testing::TestAuthority().cert();
  return credentials;
}

TEST(TlsProbe, WhereNobodyListensTlsIsNotToBlame) {
  EXPECT_EQ(WhyNoTls("127.0.0.1", "1", WithCa(), kForEver, nullptr), "");
  EXPECT_EQ(WhyNoTls("no.such.host.invalid", "1", {}, kForEver, nullptr), "");
}

TEST(TlsProbe, WhoSaysNothingIsNotWaitedForForEver) {
  const ProbeListener listener;
  EXPECT_EQ(WhyNoTls("127.0.0.1", listener.port(), WithCa(), absl::Milliseconds(50), nullptr),
            "it does not answer TLS");
}

TEST(TlsProbe, AResolverThatSaysNothingIsNotWaitedForForEver) {
  EXPECT_EQ(WhyNoTls(kSlowName, "1", WithCa(), absl::Milliseconds(50), nullptr), "");
  slow_name_asked.wait();
  slow_name_may_end.count_down();
  slow_name_over.wait();
}

TEST(TlsProbe, EndsWhenItIsCancelled) {
  const ProbeListener listener;
  Cancellation cancellation;
  std::latch connected(1);
  std::thread probe([&] {
    ProbeConnection connection(kForEver, &cancellation);
    std::string bytes;
    EXPECT_TRUE(connection.Connect("127.0.0.1", listener.port()));
    connected.count_down();
    EXPECT_EQ(connection.Receive(&bytes), ProbeConnection::Received::kNothing);
  });
  connected.wait();
  cancellation.Cancel();
  probe.join();
  ProbeConnection late(kForEver, &cancellation);
  EXPECT_FALSE(late.Connect(kSlowName, "1"));
}

std::atomic<int> broken_pipes{0};

TEST(TlsProbe, APeerThatIsGoneRaisesNoSignal) {
  const auto before = signal(SIGPIPE, [](int) { ++broken_pipes; });
  const ProbeListener listener;
  ProbeConnection connection(kForEver, nullptr);
  ASSERT_TRUE(connection.Connect("127.0.0.1", listener.port()));
  close(listener.Accept());
  std::string bytes;
  connection.Send("answered with a reset");
  EXPECT_EQ(connection.Receive(&bytes), ProbeConnection::Received::kEnd);
  connection.Send("to nobody");
  connection.Send("to nobody");
  signal(SIGPIPE, before);
  EXPECT_EQ(broken_pipes.load(), 0);
}

}  // namespace
}  // namespace socketeer::internal
