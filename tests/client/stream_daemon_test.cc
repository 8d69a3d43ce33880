// Streams and the real daemon: what its kernel does is what a caller sees.
#include <cerrno>
#include <string>
#include <thread>
#include <utility>

#include "gtest/gtest.h"
#include "socketeer/async_stream.h"
#include "socketeer/error.h"
#include "socketeer/host.h"
#include "socketeer/stream.h"
#include "tests/support/attached.h"
#include "tests/support/test_server.h"

namespace socketeer {
namespace {

using testing::Pattern;

constexpr size_t kMuch = 64 << 20;

// Waits until all `size` bytes of the pattern have come.
::testing::AssertionResult GetsPattern(Stream& stream, uint64_t offset, size_t size) {
  for (const uint64_t end = offset + size; offset < end;) {
    const absl::StatusOr<absl::Cord> bytes = stream.Receive();
    if (!bytes.ok()) return ::testing::AssertionFailure() << bytes.status();
    if (bytes->empty()) return ::testing::AssertionFailure() << "the stream ended at " << offset;
    if (*bytes != Pattern(offset, bytes->size())) return ::testing::AssertionFailure() << "wrong bytes at " << offset;
    offset += bytes->size();
  }
  return ::testing::AssertionSuccess();
}

class StreamDaemonTest : public ::testing::Test {
 protected:
  StreamDaemonTest() {
    v1::OpenSocketRequest request;
    request.set_type(v1::SOCKET_TYPE_STREAM);
    request.mutable_bind()->mutable_inet()->set_ip("127.0.0.1");
    request.mutable_listen();
    const RemoteSocket listener = host_.Open(request).value();
    v1::OpenSocketRequest connect;
    connect.set_type(v1::SOCKET_TYPE_STREAM);
    *connect.mutable_connect() = listener.local();
    one_.emplace(host_.Open(connect).value());
    two_.emplace(listener.Accept().value());
  }

  testing::TestServer server_{{.loops = 2}};
  Host host_ = Host::Connect(server_.server().addresses()[0]).value();
  std::optional<RemoteSocket> one_, two_;  // each the other's peer
};

TEST_F(StreamDaemonTest, BytesBothWays) {
  Stream one = one_->Attach().value(), two = two_->Attach().value();
  EXPECT_EQ(one.socket().name(), one_->name());
  EXPECT_TRUE(one.Send("hello").ok());
  EXPECT_TRUE(one.Flush().ok());
  EXPECT_EQ(one.accepted(), 5u);
  EXPECT_EQ(two.Receive(3).value(), "hel");
  EXPECT_EQ(two.received(), 3u);
  EXPECT_EQ(two.Receive().value(), "lo");
  EXPECT_TRUE(two.Send("world").ok());
  EXPECT_EQ(one.Receive().value(), "world");
  EXPECT_TRUE(one.Detach().ok());
  EXPECT_TRUE(two.Detach().ok());
  EXPECT_EQ(Classify(one.Send("late")), ErrorKind::kArgument);
  EXPECT_EQ(Classify(one.Receive().status()), ErrorKind::kArgument);
}

TEST_F(StreamDaemonTest, AHalfClosedStreamCarriesMuchTheOtherWay) {
  for (auto [from, to] : {std::pair(&*one_, &*two_), std::pair(&*two_, &*one_)}) {
    (void)from;
    (void)to;
  }
  Stream one = one_->Attach().value(), two = two_->Attach().value();
  EXPECT_TRUE(one.Send("request").ok());
  EXPECT_TRUE(one.Shutdown().ok());
  EXPECT_EQ(two.Receive().value(), "request");
  EXPECT_TRUE(two.Receive()->empty());
  std::jthread sender([&two] {
    for (uint64_t at = 0; at < kMuch; at += 1 << 20) EXPECT_TRUE(two.Send(Pattern(at, 1 << 20)).ok());
    EXPECT_TRUE(two.Shutdown().ok());
  });
  EXPECT_TRUE(GetsPattern(one, 0, kMuch));
  EXPECT_TRUE(one.Receive()->empty());
  EXPECT_TRUE(one.Receive()->empty()) << "the end is told each time";
}

}  // namespace
}  // namespace socketeer
