// The blocking face of a stream, and a fake daemon.
#include <future>
#include <optional>
#include <string>
#include <utility>

#include "gtest/gtest.h"
#include "socketeer/error.h"
#include "socketeer/host.h"
#include "socketeer/stream.h"
#include "tests/client/fake_daemon.h"
#include "tests/client/fake_status.h"

namespace socketeer {
namespace {

const CallOptions kNow{.timeout = absl::ZeroDuration()};

class BlockingStreamTest : public ::testing::Test {
 protected:
  // Attaches, while the daemon answers with `opened`.
  Stream Attach(const std::string& opened = "opened { socket { name: 'sockets/a' } send_window: 4 }",
                StreamOptions options = {}) {
    auto attached = std::async(std::launch::async, [&] { return host_.Handle("sockets/a").Attach(options).value(); });
    call_ = daemon_.attaches().AwaitCall();
    EXPECT_EQ(call_->NextText().substr(0, 4), "open");
    call_->Write(opened);
    return attached.get();
  }
  // A call on the stream that waits, in a thread of its own.
  template <typename Call>
  static auto Waiting(Call call) {
    return std::async(std::launch::async, std::move(call));
  }

  FakeDaemon daemon_;
  Host host_ = Host::Connect(daemon_.endpoint()).value();
  std::shared_ptr<FakeAttach::Call> call_;
};

TEST_F(BlockingStreamTest, AnAttachThatIsRefused) {
  auto attached = Waiting([&] { return host_.Handle("sockets/a").Attach().status(); });
  daemon_.attaches().AwaitCall()->End(
      DaemonStatus(grpc::StatusCode::FAILED_PRECONDITION, "SOCKET_ATTACHED", v1::ORIGIN_DAEMON));
  EXPECT_EQ(ReasonOf(attached.get()), "SOCKET_ATTACHED");
}

TEST_F(BlockingStreamTest, AnAttachWithoutADaemon) {
  const absl::StatusOr<Stream> attached = Host::Connect("unix:./nobody")->Handle("sockets/a").Attach();
  EXPECT_EQ(Classify(attached.status()), ErrorKind::kUnreachable);
}

TEST_F(BlockingStreamTest, AnAttachThatIsNotAnswered) {
  host_ = Host::Connect(daemon_.endpoint(), {.answer_time = absl::Milliseconds(50)}).value();
  auto attached = Waiting([&] { return host_.Handle("sockets/a").Attach().status(); });
  if (attached.wait_for(kLongEnough) != std::future_status::ready) {
    ADD_FAILURE() << "it waits on";
    daemon_.attaches().Close();
  }
  const absl::Status status = attached.get();
  EXPECT_EQ(Classify(status), ErrorKind::kUnreachable);
  EXPECT_NE(status.message().find("does not answer"), absl::string_view::npos) << status;
}

TEST_F(BlockingStreamTest, SendWaitsForRoom) {
  Stream stream = Attach();
  auto sent = Waiting([&] { return stream.Send("0123456789"); });
  EXPECT_EQ(call_->NextText(), "data { data: \"0123\" }");
  EXPECT_EQ(Classify(stream.Flush(kNow)), ErrorKind::kTimedOut);
  call_->Write("acknowledge { offset: 4 }");
  EXPECT_EQ(call_->NextText(), "data { offset: 4 data: \"4567\" }");
  call_->Write("acknowledge { offset: 8 }");
  EXPECT_EQ(call_->NextText(), "data { offset: 8 data: \"89\" }");
  EXPECT_TRUE(sent.get().ok());
  auto flushed = Waiting([&] { return stream.Flush(); });
  call_->Write("acknowledge { offset: 10 }");
  EXPECT_TRUE(flushed.get().ok());
  EXPECT_EQ(stream.accepted(), 10u);
}

TEST_F(BlockingStreamTest, ASendOutOfTimeHasSentAPart) {
  Stream stream = Attach();
  EXPECT_EQ(Classify(stream.Send("012345", kNow)), ErrorKind::kTimedOut);
  EXPECT_EQ(stream.sent(), 4u);
  Cancellation cancellation;
  cancellation.Cancel();
  EXPECT_EQ(Classify(stream.Send("45", {.timeout = std::nullopt, .cancellation = &cancellation})),
            ErrorKind::kCancelled);
  EXPECT_EQ(stream.sent(), 4u);
  call_->Write("acknowledge { offset: 4 }");
  EXPECT_TRUE(stream.Send("45").ok()) << "the stream goes on";
}

TEST_F(BlockingStreamTest, HostOptionsSayTheTimeout) {
  host_ = Host::Connect(daemon_.endpoint(), {.default_timeout = absl::Milliseconds(1)}).value();
  Stream stream = Attach();
  EXPECT_EQ(Classify(stream.Receive().status()), ErrorKind::kTimedOut);
}

TEST_F(BlockingStreamTest, ACallsOwnCancellation) {
  Stream stream = Attach();
  Cancellation cancellation;
  auto received =
      Waiting([&] { return stream.Receive(0, {.timeout = std::nullopt, .cancellation = &cancellation}).status(); });
  cancellation.Cancel();
  EXPECT_EQ(Classify(received.get()), ErrorKind::kCancelled);
  call_->Write("data { data: 'abc' }");
  EXPECT_EQ(stream.Receive(1).value(), "a");
  EXPECT_EQ(stream.received(), 1u);
}

TEST_F(BlockingStreamTest, CancelEndsWhatWaits) {
  Stream stream = Attach();
  EXPECT_TRUE(stream.Send("0123").ok());
  auto sent = Waiting([&] { return stream.Send("x"); });
  auto received = Waiting([&] { return stream.Receive().status(); });
  stream.Cancel();
  EXPECT_EQ(Classify(sent.get()), ErrorKind::kCancelled);
  EXPECT_EQ(Classify(received.get()), ErrorKind::kCancelled);
  EXPECT_EQ(Classify(stream.Flush()), ErrorKind::kCancelled);
  EXPECT_EQ(Classify(stream.Shutdown()), ErrorKind::kCancelled);
  EXPECT_EQ(Classify(stream.SetOptions({}).status()), ErrorKind::kCancelled);
  EXPECT_EQ(Classify(stream.Detach()), ErrorKind::kCancelled);
}

TEST_F(BlockingStreamTest, ASendErrorIsToldToAllWhoSend) {
  Stream stream = Attach();
  EXPECT_TRUE(stream.Send("0123").ok());
  auto sent = Waiting([&] { return stream.Send("x"); });
  call_->Write("send_error { code: 10 message: 'pipe' }");
  EXPECT_EQ(sent.get().message(), "pipe");
  EXPECT_EQ(stream.Flush().message(), "pipe");
  EXPECT_EQ(stream.Shutdown().message(), "pipe");
  auto detached = Waiting([&] { return stream.Detach(); });
  while (call_->NextText() != "detach { }") continue;
  call_->End(grpc::Status::OK);
  EXPECT_EQ(detached.get().message(), "pipe");
}

TEST_F(BlockingStreamTest, TheEndAndAnErrorAreToldEachTime) {
  Stream stream = Attach();
  call_->Write("data { data: 'abc' }");
  call_->Write("receive_error { code: 10 message: 'reset' }");
  EXPECT_EQ(stream.Receive().value(), "abc");
  EXPECT_EQ(stream.Receive().status().message(), "reset");
  EXPECT_EQ(stream.Receive().status().message(), "reset");
}

TEST_F(BlockingStreamTest, BytesOfAStreamThatWasTakenOverAreAnothers) {
  Stream stream = Attach();
  call_->Write("data { data: 'abc' }");
  EXPECT_EQ(stream.Receive(1).value(), "a");
  call_->End(DaemonStatus(grpc::StatusCode::ABORTED, "TAKEN_OVER", v1::ORIGIN_DAEMON));
  EXPECT_EQ(ReasonOf(stream.Detach()), "TAKEN_OVER");
  EXPECT_EQ(ReasonOf(stream.Receive().status()), "TAKEN_OVER");
  EXPECT_EQ(stream.received(), 1u);
}

TEST_F(BlockingStreamTest, OptionsOneAfterTheOther) {
  Stream stream = Attach();
  v1::SocketOptions options;
  options.set_nodelay(true);
  EXPECT_EQ(Classify(stream.SetOptions(options, kNow).status()), ErrorKind::kTimedOut);
  EXPECT_EQ(call_->NextText(), "set_options { nodelay: true }");
  options.set_nodelay(false);
  auto set = Waiting([&] { return stream.SetOptions(options); });
  call_->Write("options { options { nodelay: true } }");
  EXPECT_EQ(call_->NextText(), "set_options { nodelay: false }");
  call_->Write("options { options { nodelay: false rcvlowat: 7 } }");
  EXPECT_EQ(set.get()->rcvlowat(), 7);
}

TEST_F(BlockingStreamTest, ACallThatNobodyNoticesBreaking) {
  Stream stream = Attach();
  call_->Write("data { data: 'abc' }");
  EXPECT_EQ(stream.Receive().value(), "abc");
  auto received = Waiting([&] { return stream.Receive(); });
  call_->End(FakeAttach::Broken());
  call_ = daemon_.attaches().AwaitCall();
  call_->Write("opened { receive_offset: 3 send_window: 4 }");
  call_->Write("data { offset: 3 data: 'def' }");
  EXPECT_EQ(received.get().value(), "def");
  EXPECT_EQ(stream.socket().name(), "sockets/a") << "as it was attached";
}

}  // namespace
}  // namespace socketeer
