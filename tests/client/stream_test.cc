// Streams and a fake daemon, which says and does what a real one would not.
#include "socketeer/stream.h"

#include <atomic>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "grpcpp/create_channel.h"
#include "grpcpp/security/credentials.h"
#include "gtest/gtest.h"
#include "socketeer/async_stream.h"
#include "socketeer/error.h"
#include "socketeer/host.h"
#include "socketeer/stubs.h"
#include "tests/client/fake_daemon.h"
#include "tests/client/fake_status.h"
#include "tests/client/recorder.h"
#include "tests/support/eventually.h"

namespace socketeer {
namespace {

using CallPtr = std::shared_ptr<FakeAttach::Call>;
using grpc::StatusCode;

constexpr char kOpened[] = "opened { socket { name: 'sockets/a' uid: 'u' } send_window: 16 attachment: 7 }";

class AsyncStreamTest : public ::testing::Test {
 protected:
  void Attach(const StreamOptions& options = {}) {
    stream_.emplace(host_.Handle("sockets/a").AttachAsync(options, &told_));
    stream_->Start();
  }
  // The next call, opened.
  CallPtr Open(const std::string& opened = kOpened) {
    CallPtr call = daemon_.attaches().AwaitCall();
    open_ = call->NextText();
    call->Write(opened);
    EXPECT_EQ(told_.Next(), "opened sockets/a");
    return call;
  }
  CallPtr AttachOpened(const StreamOptions& options = {}) {
    Attach(options);
    return Open();
  }
  // The frame is the last of a stream, which ends because it breaks the rules; `why` is in the error.
  void Breaks(CallPtr call, const std::string& frame, const std::string& why) {
    call->Write(frame);
    while (call->Next()) continue;
    call->End(grpc::Status::CANCELLED);
    EXPECT_EQ(told_.Next(), "ended INTERNAL") << frame;
    EXPECT_EQ(Classify(told_.end()), ErrorKind::kProtocol);
    EXPECT_NE(told_.end().message().find(why), absl::string_view::npos) << told_.end();
  }

  FakeDaemon daemon_;
  Host host_ = Host::Connect(daemon_.endpoint()).value();
  Recorder told_;
  std::string open_;  // the first frame of the last call
  std::optional<AsyncStream> stream_;
};

TEST_F(AsyncStreamTest, OpensAsItIsTold) {
  host_ = host_.InSession("work").value();
  Attach({.receive_offset = 3, .send_offset = 4, .receive_window = 5, .send_window = 6, .takeover = true});
  const CallPtr call = Open("opened { socket { name: 'sockets/a' } receive_offset: 3 send_offset: 4 send_window: 6 }");
  EXPECT_EQ(open_,
            "open { name: \"sockets/a\" receive_offset: 3 send_offset: 4 receive_window: 5 send_window: 6 takeover: "
            "true }");
  EXPECT_EQ(call->session(), "sessions/work");
  EXPECT_EQ(stream_->sent(), 4u);
  EXPECT_EQ(stream_->received(), 3u);
}

TEST_F(AsyncStreamTest, TellsWhatComes) {
  const CallPtr call = AttachOpened();
  EXPECT_EQ(stream_->Send(absl::Cord("hello")).value(), 5u);
  EXPECT_EQ(call->NextText(), "data { data: \"hello\" }");
  call->Write("acknowledge { offset: 5 }");
  EXPECT_EQ(told_.Next(), "accepted 5");
  v1::SocketOptions options;
  options.set_nodelay(true);
  EXPECT_TRUE(stream_->SetOptions(options).ok());
  EXPECT_EQ(Classify(stream_->SetOptions(options)), ErrorKind::kArgument) << "before the answer";
  EXPECT_EQ(call->NextText(), "set_options { nodelay: true }");
  call->Write("options { options { nodelay: true } }");
  EXPECT_EQ(told_.Next(), "options nodelay: true");
  EXPECT_TRUE(stream_->SetOptions(options).ok());
  EXPECT_EQ(call->NextText(), "set_options { nodelay: true }");
  call->Write("options { error { code: 3 message: 'no' } }");
  EXPECT_EQ(told_.Next(), "options INVALID_ARGUMENT");
  stream_->Shutdown();
  EXPECT_EQ(call->NextText(), "shutdown { }");
  EXPECT_EQ(Classify(stream_->Send(absl::Cord("x")).status()), ErrorKind::kArgument);
  call->Write("shutdown {}");
  EXPECT_EQ(told_.Next(), "shutdown");
  call->Write("data { data: 'abc' }");
  EXPECT_EQ(told_.Next(), "received abc");
  call->Write("end_of_stream { offset: 3 }");
  EXPECT_EQ(told_.Next(), "end of stream");
  stream_->Consume(2);
  stream_->Detach();
  EXPECT_EQ(Classify(stream_->SetOptions(options)), ErrorKind::kArgument);
  EXPECT_EQ(call->NextText(), "acknowledge { offset: 2 }");
  EXPECT_EQ(call->NextText(), "detach { }");
  call->End(grpc::Status::OK);
  EXPECT_EQ(told_.Next(), "ended OK");
  EXPECT_EQ(Classify(stream_->Send(absl::Cord("x")).status()), ErrorKind::kArgument);
}

TEST_F(AsyncStreamTest, WhatIsConsumedIsAcknowledgedHoweverLittle) {
  const CallPtr call = AttachOpened({.receive_window = 8});
  call->Write("data { data: 'abcdefgh' }");
  EXPECT_EQ(told_.Next(), "received abcdefgh");
  stream_->Consume(1);
  EXPECT_EQ(call->NextText(), "acknowledge { offset: 1 }") << "soon";
  stream_->Consume(6);
  EXPECT_EQ(call->NextText(), "acknowledge { offset: 7 }") << "at once";
  call->Write("data { offset: 8 data: 'ijklmno' }");
  EXPECT_EQ(told_.Next(), "received ijklmno");
}

TEST_F(AsyncStreamTest, ErrorsOfTheKernel) {
  const CallPtr call = AttachOpened();
  call->Write("receive_error { code: 10 message: 'reset' }");
  EXPECT_EQ(told_.Next(), "receive error ABORTED");
  call->Write("send_error { code: 10 message: 'pipe' }");
  EXPECT_EQ(told_.Next(), "send error ABORTED");
  EXPECT_EQ(stream_->Send(absl::Cord("x")).status().message(), "pipe");
}

TEST_F(AsyncStreamTest, GoesOnWhereItBroke) {
  CallPtr call = AttachOpened({.receive_window = 8});
  EXPECT_EQ(stream_->Send(absl::Cord("0123456789")).value(), 10u);
  EXPECT_EQ(call->NextText(), "data { data: \"0123456789\" }");
  call->Write("acknowledge { offset: 4 }");
  EXPECT_EQ(told_.Next(), "accepted 4");
  call->Write("data { data: 'abcdef' }");
  EXPECT_EQ(told_.Next(), "received abcdef");
  stream_->Consume(3);
  call->End(FakeAttach::Broken());
  EXPECT_EQ(told_.Next(), "broken UNAVAILABLE");
  EXPECT_EQ(stream_->Send(absl::Cord("ab")).value(), 2u);
  call = Open("opened { socket { name: 'sockets/a' uid: 'u' } receive_offset: 3 send_offset: 7 send_window: 16 }");
  EXPECT_EQ(open_,
            "open { name: \"sockets/a\" uid: \"u\" receive_offset: 3 receive_window: 8 send_window: 16 resumes: 7 }");
  EXPECT_EQ(call->NextText(), "data { offset: 7 data: \"789ab\" }");
  call->Write("data { offset: 3 data: 'defgh' }");
  EXPECT_EQ(told_.Next(), "received gh");
  EXPECT_EQ(stream_->accepted(), 7u);
}

// A break, a refusal, and a call that is opened and of no use: it tries on.
TEST_F(AsyncStreamTest, TriesUntilItIsBack) {
  CallPtr call = AttachOpened();
  call->End(FakeAttach::Broken());
  EXPECT_EQ(told_.Next(), "broken UNAVAILABLE");
  daemon_.attaches().AwaitCall()->End(FakeAttach::Broken());
  // The daemon may not have noticed that the last call is gone, which counts against its limits.
  daemon_.attaches().AwaitCall()->End(DaemonStatus(StatusCode::RESOURCE_EXHAUSTED, "LIMIT_REACHED", v1::ORIGIN_LIMIT));
  Open()->End(FakeAttach::Broken());
  EXPECT_EQ(told_.Next(), "broken UNAVAILABLE");
  call = Open();
  call->Write("data { data: 'a' }");
  EXPECT_EQ(told_.Next(), "received a");
}

TEST_F(AsyncStreamTest, GivesUp) {
  AttachOpened({.patience = absl::Milliseconds(50)})->End(FakeAttach::Broken());
  daemon_.attaches().Refuse(FakeAttach::Broken());
  EXPECT_EQ(told_.Next(), "broken UNAVAILABLE");
  EXPECT_EQ(told_.Next(), "ended UNAVAILABLE");
  EXPECT_EQ(Classify(told_.end()), ErrorKind::kUnreachable);
  EXPECT_NE(told_.end().message().find("Socket closed; it was not back within 50ms"), absl::string_view::npos)
      << told_.end();
}

TEST_F(AsyncStreamTest, GivesUpOnADaemonThatDoesNotAnswer) {
  AttachOpened({.patience = absl::Milliseconds(50)})->End(FakeAttach::Broken());
  EXPECT_EQ(told_.Next(), "broken UNAVAILABLE");
  // Whether the daemon sees the next call before it is given up, nobody knows.
  EXPECT_EQ(told_.Next(), "ended UNAVAILABLE");
  EXPECT_NE(told_.end().message().find("not back within 50ms"), absl::string_view::npos) << told_.end();
}

TEST_F(AsyncStreamTest, WithoutPatienceABreakIsTheEnd) {
  AttachOpened({.patience = absl::ZeroDuration()})->End(FakeAttach::Broken());
  EXPECT_EQ(told_.Next(), "ended UNAVAILABLE");
}

TEST_F(AsyncStreamTest, AnUnopenedStreamDoesNotTryAgain) {
  Attach();
  daemon_.attaches().AwaitCall()->End(FakeAttach::Broken());
  EXPECT_EQ(told_.Next(), "ended UNAVAILABLE");
}

TEST_F(AsyncStreamTest, WhatTheDaemonSaysIsFinal) {
  for (const auto& [code, reason] :
       {std::pair(StatusCode::ABORTED, "TAKEN_OVER"), std::pair(StatusCode::ABORTED, "SOCKET_CLOSED"),
        std::pair(StatusCode::ABORTED, "SESSION_ENDED"), std::pair(StatusCode::UNAVAILABLE, "DRAINING"),
        std::pair(StatusCode::RESOURCE_EXHAUSTED, "LIMIT_REACHED")}) {
    AttachOpened()->End(DaemonStatus(code, reason, v1::ORIGIN_DAEMON));
    EXPECT_EQ(told_.Next(), std::string("ended ") + reason);
  }
  // Also when it comes to nothing to get back.
  AttachOpened()->End(FakeAttach::Broken());
  EXPECT_EQ(told_.Next(), "broken UNAVAILABLE");
  daemon_.attaches().AwaitCall()->End(DaemonStatus(StatusCode::NOT_FOUND, "SOCKET_NOT_FOUND", v1::ORIGIN_REGISTRY));
  EXPECT_EQ(told_.Next(), "ended SOCKET_NOT_FOUND");
  EXPECT_EQ(ReasonOf(stream_->Send(absl::Cord("x")).status()), "SOCKET_NOT_FOUND");
}

TEST_F(AsyncStreamTest, ADaemonThatBreaksTheRules) {
  Attach();
  Breaks(daemon_.attaches().AwaitCall(), "data { data: 'a' }", "first frame");
  Attach();
  Breaks(daemon_.attaches().AwaitCall(), "shutdown {}", "first frame");
  Attach({.receive_offset = 5});
  Breaks(daemon_.attaches().AwaitCall(), kOpened, "begins at byte 0");
  Attach();
  Breaks(daemon_.attaches().AwaitCall(), "opened {}", "no window");
  Breaks(AttachOpened(), kOpened, "twice");
  Breaks(AttachOpened(), "", "has no place");
  Breaks(AttachOpened(), "data { offset: 1 data: 'a' }", "offset 1 and not of 0");
  Breaks(AttachOpened(), "data {}", "without bytes");
  Breaks(AttachOpened({.receive_window = 2}), "data { data: 'abc' }", "beyond the window");
  Breaks(AttachOpened(), "acknowledge { offset: 1 }", "acknowledged 1");
  Breaks(AttachOpened(), "shutdown {}", "nobody asked for");
  Breaks(AttachOpened(), "options {}", "nobody set");
  Breaks(AttachOpened(), "end_of_stream { offset: 1 }", "at byte 1");
  Breaks(AttachOpened(), "receive_error {}", "an error that is none");
  Breaks(AttachOpened(), "send_error {}", "an error that is none");
  AttachOpened()->End(grpc::Status::OK);
  EXPECT_EQ(told_.Next(), "ended INTERNAL") << "nobody detached";
}

TEST_F(AsyncStreamTest, CancelInEveryState) {
  // Before it starts.
  stream_.emplace(host_.Handle("sockets/a").AttachAsync({}, &told_));
  stream_.reset();
  stream_.emplace(host_.Handle("sockets/a").AttachAsync({}, &told_));
  stream_->Cancel();
  stream_->Start();
  EXPECT_EQ(told_.Next(), "ended CANCELLED");
  // While it is opened.
  Attach();
  CallPtr call = daemon_.attaches().AwaitCall();
  stream_->Cancel();
  EXPECT_EQ(told_.Next(), "ended CANCELLED");
  call->End(grpc::Status::OK);
  // When it is.
  call = AttachOpened();
  stream_->Cancel();
  stream_->Cancel();
  EXPECT_EQ(told_.Next(), "ended CANCELLED");
  EXPECT_EQ(Classify(stream_->Send(absl::Cord("x")).status()), ErrorKind::kCancelled);
  call->End(grpc::Status::OK);
  // Between two tries, or in one.
  AttachOpened({.patience = absl::InfiniteDuration()})->End(FakeAttach::Broken());
  daemon_.attaches().Refuse(FakeAttach::Broken());
  EXPECT_EQ(told_.Next(), "broken UNAVAILABLE");
  stream_->Cancel();
  EXPECT_EQ(told_.Next(), "ended CANCELLED");
}

// The first bytes are being told while the others come.
TEST_F(AsyncStreamTest, BehindDetachNothingIsToldOfWhatCame) {
  struct Detaching : Recorder {
    void OnReceived(absl::Cord bytes) override {
      Recorder::OnReceived(std::move(bytes));
      if (std::exchange(asked, true)) return;  // the test has failed
      EXPECT_EQ(go.get_future().wait_for(kLongEnough), std::future_status::ready);
      (*stream)->Detach();
    }
    std::optional<AsyncStream>* stream;
    std::promise<void> go;
    bool asked = false;
  } told;
  told.stream = &stream_;
  stream_.emplace(host_.Handle("sockets/a").AttachAsync({.receive_window = 8}, &told));
  stream_->Start();
  const CallPtr call = daemon_.attaches().AwaitCall();
  EXPECT_EQ(call->NextText().substr(0, 4), "open");
  call->Write("opened { socket { name: 'sockets/a' } send_window: 16 }");
  EXPECT_EQ(told.Next(), "opened sockets/a");
  call->Write("data { data: 'abc' }");
  EXPECT_EQ(told.Next(), "received abc");
  EXPECT_EQ(stream_->Send(absl::Cord("x")).value(), 1u);
  EXPECT_EQ(call->NextText(), "data { data: \"x\" }");
  call->Write("data { offset: 3 data: 'de' }");
  call->Write("end_of_stream { offset: 5 }");
  call->Write("acknowledge { offset: 1 }");
  EXPECT_TRUE(testing::Eventually([&] { return stream_->accepted() == 1; }, "callbacks stand still"));
  told.go.set_value();
  EXPECT_EQ(told.Next(), "accepted 1");
  EXPECT_EQ(call->NextText(), "detach { }");
  call->End(grpc::Status::OK);
  EXPECT_EQ(told.Next(), "ended OK");
  stream_.reset();
}

TEST_F(AsyncStreamTest, TheDestructorEndsIt) {
  const CallPtr call = AttachOpened();
  stream_.reset();
  EXPECT_EQ(told_.Next(), "ended CANCELLED");
  EXPECT_EQ(call->NextText(), "left");
}

TEST_F(AsyncStreamTest, TheCancellationEndsIt) {
  Cancellation cancellation;
  const CallPtr call = AttachOpened({.cancellation = &cancellation});
  EXPECT_TRUE(cancellation.Cancel());
  EXPECT_EQ(told_.Next(), "ended CANCELLED");
  Attach({.cancellation = &cancellation});
  EXPECT_EQ(told_.Next(), "ended CANCELLED");
  stream_.reset();
  EXPECT_FALSE(cancellation.Cancel()) << "nothing is left in it";
}

// The seam: calls begin where a test wants them to.
TEST_F(AsyncStreamTest, TheStubMayBeAnother) {
  struct Counting : AttachStub {
    explicit Counting(std::shared_ptr<AttachStub> to) : next(std::move(to)) {}
    void AttachSocket(grpc::ClientContext* context, Reactor* reactor) override {
      ++calls;
      next->AttachSocket(context, reactor);
    }
    std::shared_ptr<AttachStub> next;
    std::atomic<int> calls{0};
  };
  const auto channel = grpc::CreateChannel(daemon_.endpoint(), grpc::InsecureChannelCredentials());
  const auto stub = std::make_shared<Counting>(NewAttachStub(channel));
  Stubs stubs;
  stubs.attach = stub;
  host_ = Host(stubs, "a test");
  AttachOpened()->End(FakeAttach::Broken());
  EXPECT_EQ(told_.Next(), "broken UNAVAILABLE");
  Open();
  EXPECT_EQ(stub->calls, 2);
}

}  // namespace
}  // namespace socketeer
