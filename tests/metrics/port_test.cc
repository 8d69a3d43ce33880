// Who comes to the port, and how: real connections on loopback, and a clock that the test moves.
#include "server/metrics/port.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <atomic>
#include <cerrno>
#include <thread>
#include <vector>

#include "tests/support/manual_clock.h"

namespace socketeer::metrics {
namespace {

using ::testing::EndsWith;
using ::testing::StartsWith;

constexpr char kGet[] = "GET /metrics HTTP/1.1\r\n\r\n";

class PortTest : public ::testing::Test {
 protected:
  void SetUp() override { Start(base::SystemClock()); }
  void Start(const base::Clock& clock) {
    base::Fd listener(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    address_.sin_family = AF_INET;
    address_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address_);
    ASSERT_EQ(bind(listener.get(), reinterpret_cast<sockaddr*>(&address_), size), 0);
    ASSERT_EQ(listen(listener.get(), 128), 0);
    getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address_), &size);
    auto port = Port::Start(
        std::move(listener), [this] { return filling_ + "pages " + std::to_string(++pages_) + "\n"; },
        net::KernelSyscalls(), clock);
    ASSERT_TRUE(port.ok());
    port_ = *std::move(port);
  }

  base::Fd Connect() {
    base::Fd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    EXPECT_EQ(connect(fd.get(), reinterpret_cast<sockaddr*>(&address_), sizeof(address_)), 0);
    return fd;
  }
  static void Send(const base::Fd& fd, std::string_view text) {
    EXPECT_EQ(send(fd.get(), text.data(), text.size(), MSG_NOSIGNAL), static_cast<ssize_t>(text.size()));
  }
  base::Fd Ask() {
    base::Fd fd = Connect();
    Send(fd, kGet);
    return fd;
  }
  // All that comes, up to the end or a reset.
  static std::string Read(const base::Fd& fd) {
    std::string all;
    char buffer[65536];
    ssize_t count = 0;
    while ((count = recv(fd.get(), buffer, sizeof(buffer), 0)) > 0) all.append(buffer, static_cast<size_t>(count));
    return all;
  }
  static bool IsReadable(const base::Fd& fd) {
    char byte;
    return recv(fd.get(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0 || errno != EAGAIN;
  }
  // Its answer, without the heads.
  static std::string LastLineOf(const std::string& answer) {
    const size_t end = answer.rfind('\n', answer.size() - 2);
    return end == std::string::npos ? answer : answer.substr(end + 1);
  }

  sockaddr_in address_{};
  std::string filling_;
  std::atomic<int> pages_{0};
  std::unique_ptr<Port> port_;
};

// The clock stands still until the test moves it; the loop looks at it when somebody comes.
class PortInTimeTest : public PortTest {
 protected:
  void SetUp() override { Start(clock_); }
  void TearDown() override { port_.reset(); }  // it uses the clock
  ::socketeer::testing::ManualClock clock_;
};

TEST_F(PortTest, GivesThePageAndEndsTheConnection) {
  const std::string answer = Read(Ask());
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(answer, EndsWith("\r\n\r\npages 1\n"));
}

TEST_F(PortTest, ARequestMayComeInPieces) {
  const base::Fd fd = Connect();
  for (const char each : std::string_view(kGet)) Send(fd, std::string_view(&each, 1));
  EXPECT_THAT(Read(fd), EndsWith("pages 1\n"));
}

TEST_F(PortTest, WhoHasShutHisSideIsAnswered) {
  const base::Fd fd = Ask();
  shutdown(fd.get(), SHUT_WR);
  EXPECT_THAT(Read(fd), EndsWith("pages 1\n"));
}

TEST_F(PortInTimeTest, PagesAreMadeOnlySoOften) {
  EXPECT_THAT(Read(Ask()), EndsWith("pages 1\n"));
  const auto made = clock_.Now();
  const base::Fd asking = Ask();
  for (int step = 0; !IsReadable(asking); ++step) {
    if (step < 10) clock_.Advance(kPagePause / 10);
    Connect();
  }
  EXPECT_EQ(clock_.Now() - made, kPagePause);
  EXPECT_THAT(Read(asking), EndsWith("pages 2\n"));
}

TEST_F(PortTest, ManySilentOnesKeepNobodyOut) {
  std::vector<base::Fd> silent;
  for (size_t i = 0; i < 5 * kMaxConnections; ++i) silent.push_back(Connect());
  EXPECT_THAT(Read(Ask()), EndsWith("pages 1\n"));
  for (size_t i = 0; i < 4 * kMaxConnections; ++i) EXPECT_EQ(Read(silent[i]), "") << "it gave way";
}

TEST_F(PortTest, ManyWhoAskAreAllAnswered) {
  std::vector<base::Fd> asking;
  for (size_t i = 0; i < 5 * kMaxConnections; ++i) asking.push_back(Ask());
  for (const base::Fd& each : asking) EXPECT_THAT(Read(each), StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_LT(pages_.load(), static_cast<int>(asking.size())) << "who waits at a time gets one page";
}

TEST_F(PortTest, WhoDoesNotReadHoldsUpNobody) {
  filling_ = std::string(32 << 20, '#') + "\n";
  const base::Fd slow = Ask();
  while (!IsReadable(slow)) std::this_thread::yield();
  for (const char* const line : {"pages 2\n", "pages 3\n"}) EXPECT_EQ(LastLineOf(Read(Ask())), line);
  EXPECT_EQ(LastLineOf(Read(slow)), "pages 1\n") << "in its time";
}

// Who asks when the time of others is over has his page after they were cut off.
TEST_F(PortInTimeTest, WhoDoesNotReadIsCutOff) {
  filling_ = std::string(32 << 20, '#') + "\n";
  const base::Fd slow = Ask();
  while (!IsReadable(slow)) std::this_thread::yield();
  clock_.Advance(kMaxConnectionTime);
  EXPECT_EQ(LastLineOf(Read(Ask())), "pages 2\n");
  EXPECT_LT(Read(slow).size(), filling_.size());
}

TEST_F(PortInTimeTest, WhoIsSilentIsCutOff) {
  const base::Fd silent = Connect();
  Send(silent, "GET /met");
  EXPECT_EQ(LastLineOf(Read(Ask())), "pages 1\n");  // so it was accepted
  EXPECT_FALSE(IsReadable(silent));
  clock_.Advance(kMaxConnectionTime);
  EXPECT_EQ(LastLineOf(Read(Ask())), "pages 2\n");
  EXPECT_TRUE(IsReadable(silent));
  EXPECT_EQ(Read(silent), "");
}

TEST_F(PortTest, AnEndlessHeadIsCutOff) {
  const base::Fd fd = Connect();
  const std::string piece(1024, 'x');
  size_t sent = 0;
  ssize_t count = 0;
  while ((count = send(fd.get(), piece.data(), piece.size(), MSG_NOSIGNAL)) > 0 && sent < (64u << 20)) {
    sent += static_cast<size_t>(count);
  }
  EXPECT_LT(count, 0) << "the connection was reset";
  EXPECT_THAT(Read(Ask()), EndsWith("pages 1\n"));
}

TEST_F(PortTest, WhatComesBehindTheHeadIsBounded) {
  const base::Fd fd = Connect();
  Send(fd, kGet);
  const std::string piece(1024, 'x');
  size_t sent = 0;
  while (sent < (64u << 20) && send(fd.get(), piece.data(), piece.size(), MSG_NOSIGNAL) > 0) sent += piece.size();
  EXPECT_LT(sent, 64u << 20);
}

TEST_F(PortTest, EndsWithConnectionsOpen) {
  const base::Fd silent = Connect(), asking = Ask();
  Read(asking);
  port_.reset();
  EXPECT_EQ(Read(silent), "");
}

}  // namespace
}  // namespace socketeer::metrics
