// Streams and the real daemon: what its kernel does is what a caller sees.
#include <cerrno>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "gtest/gtest.h"
#include "socketeer/error.h"
#include "socketeer/host.h"
#include "socketeer/session.h"
#include "socketeer/stream.h"
#include "tests/support/attached.h"
#include "tests/support/test_server.h"

namespace socketeer {
namespace {

using testing::Pattern;

constexpr size_t kMuch = 64 << 20;

const absl::Cord& Much() {
  static const absl::Cord* const bytes = new absl::Cord(Pattern(0, kMuch));
  return *bytes;
}

// Waits until all of `much` have come.
::testing::AssertionResult Gets(Stream& stream, const absl::Cord& much) {
  for (uint64_t at = 0; at < much.size();) {
    const absl::StatusOr<absl::Cord> bytes = stream.Receive();
    if (!bytes.ok()) return ::testing::AssertionFailure() << bytes.status();
    if (bytes->empty()) return ::testing::AssertionFailure() << "the stream ended at " << at;
    if (*bytes != much.Subcord(at, bytes->size())) return ::testing::AssertionFailure() << "wrong bytes at " << at;
    at += bytes->size();
  }
  return ::testing::AssertionSuccess();
}

class StreamDaemonTest : public ::testing::Test {
 protected:
  StreamDaemonTest() { Connect(); }

  void Connect() {
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

// In each direction.
TEST_F(StreamDaemonTest, AHalfClosedStreamCarriesMuchTheOtherWay) {
  for (const bool turned : {false, true}) {
    Stream one = (turned ? two_ : one_)->Attach().value();
    Stream two = (turned ? one_ : two_)->Attach().value();
    EXPECT_TRUE(one.Send("request").ok());
    EXPECT_TRUE(one.Shutdown().ok());
    EXPECT_TRUE(one.Shutdown().ok()) << "may be repeated";
    EXPECT_EQ(two.Receive().value(), "request");
    EXPECT_TRUE(two.Receive()->empty());
    std::jthread sender([&two] {
      for (uint64_t at = 0; at < kMuch; at += 1 << 20) ASSERT_TRUE(two.Send(Much().Subcord(at, 1 << 20)).ok());
      EXPECT_TRUE(two.Shutdown().ok());
    });
    EXPECT_TRUE(Gets(one, Much()));
    EXPECT_TRUE(one.Receive()->empty());
    EXPECT_TRUE(one.Receive()->empty()) << "the end is told each time";
    sender.join();
    Connect();
  }
}

TEST_F(StreamDaemonTest, AResetIsNoEnd) {
  Stream one = one_->Attach().value(), two = two_->Attach().value();
  EXPECT_TRUE(two.Send("last words").ok());
  EXPECT_EQ(one.Receive().value(), "last words");
  v1::SocketOptions linger;
  linger.mutable_linger()->set_enabled(true);
  EXPECT_TRUE(two.SetOptions(linger)->linger().enabled());
  EXPECT_TRUE(two_->Close().ok());
  const absl::Status reset = one.Receive().status();
  EXPECT_EQ(Classify(reset), ErrorKind::kKernel);
  EXPECT_EQ(ErrnoOf(reset), ECONNRESET) << reset;
  EXPECT_EQ(ErrnoOf(one.Receive().status()), ECONNRESET);
  // What is sent into it fails in the kernel; when, it says itself.
  absl::Status sent;
  while (sent.ok()) sent = one.Send("x");
  EXPECT_EQ(ErrnoOf(sent), EPIPE) << sent;
  EXPECT_EQ(ErrnoOf(one.Flush()), EPIPE);
  EXPECT_EQ(ReasonOf(two.Receive().status()), "SOCKET_CLOSED");
}

// Who receives nothing stops the peer, and what is on the way is no more than the windows and the kernels' buffers.
TEST_F(StreamDaemonTest, AStalledReaderStopsThePeer) {
  Stream one = one_->Attach({.receive_window = 65'536}).value(), two = two_->Attach().value();
  absl::Status sent;
  uint64_t at = 0;
  for (; sent.ok() && at < kMuch; at += 1 << 20) {
    sent = two.Send(Much().Subcord(at, 1 << 20), {.timeout = absl::Milliseconds(500)});
  }
  EXPECT_EQ(Classify(sent), ErrorKind::kTimedOut);
  EXPECT_LT(two.accepted(), uint64_t{32} << 20);
  std::jthread sender([&] {
    EXPECT_TRUE(two.Send(Much().Subcord(two.sent(), kMuch - two.sent())).ok());
    EXPECT_TRUE(two.Shutdown().ok());
  });
  EXPECT_TRUE(Gets(one, Much()));
}

TEST_F(StreamDaemonTest, OfTwoOnOneSocketTheSecondTakesOver) {
  Stream first = one_->Attach().value();
  EXPECT_EQ(ReasonOf(one_->Attach().status()), "SOCKET_ATTACHED");
  Stream two = two_->Attach().value();
  EXPECT_TRUE(two.Send("abcdef").ok());
  EXPECT_EQ(first.Receive(2).value(), "ab");
  Stream second = one_->Attach({.receive_offset = first.received(), .takeover = true}).value();
  EXPECT_EQ(second.Receive().value(), "cdef");
  EXPECT_EQ(ReasonOf(first.Detach()), "TAKEN_OVER") << "and does not take it back";
  EXPECT_EQ(ReasonOf(first.Receive().status()), "TAKEN_OVER");
  EXPECT_TRUE(second.Send("still here").ok());
  EXPECT_EQ(two.Receive().value(), "still here");
}

TEST_F(StreamDaemonTest, WhatWasNotReceivedStaysWithTheSocket) {
  Stream two = two_->Attach().value();
  {
    Stream one = one_->Attach().value();
    EXPECT_TRUE(two.Send("abcdef").ok());
    EXPECT_EQ(one.Receive(2).value(), "ab");
    EXPECT_TRUE(one.Send("bye").ok());
    EXPECT_TRUE(one.Detach().ok());
    EXPECT_EQ(one.accepted(), 3u);
  }
  EXPECT_EQ(two.Receive().value(), "bye");
  v1::ReceiveDataRequest request;
  request.set_offset(2);
  EXPECT_EQ(one_->Receive(request)->data(), "cdef");
  EXPECT_EQ(ReasonOf(one_->Attach({.send_offset = 4}).status()), "OFFSET_OUT_OF_RANGE");
  Stream again = one_->Attach({.send_offset = 1}).value();
  EXPECT_TRUE(again.Send("ye!").ok());
  EXPECT_EQ(two.Receive().value(), "!") << "what lies below is skipped";
  EXPECT_TRUE(again.Flush().ok());
  EXPECT_EQ(again.accepted(), 4u);
}

// What ends the stream at the daemon, and what ends it here, at the same time: the call was once cancelled when it was
// freed already.
TEST_F(StreamDaemonTest, MayGoWhileTheDaemonEndsIt) {
  for (int i = 0; i < 50; ++i) {
    Stream stream = one_->Attach().value();
    std::thread closes([this] { EXPECT_TRUE(one_->Close().ok()); });
    if (i % 2 == 0) {
      EXPECT_EQ(ReasonOf(stream.Receive().status()), "SOCKET_CLOSED");
    }
    std::optional<Stream>(std::move(stream)).reset();
    closes.join();
    Connect();
  }
}

TEST_F(StreamDaemonTest, EndsWithItsSession) {
  absl::StatusOr<Session> session = host_.CreateSession();
  EXPECT_TRUE(one_->Transfer(session->name()).ok());
  Stream one = one_->Attach().value();
  EXPECT_TRUE(session->End().ok());
  EXPECT_EQ(ReasonOf(one.Receive().status()), "SOCKET_CLOSED");
  one_->Release();
}

}  // namespace
}  // namespace socketeer
