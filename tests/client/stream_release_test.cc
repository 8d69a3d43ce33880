// What a stream shares with its caller is released where the caller's function may call the stream.
#include <future>
#include <optional>
#include <string>

#include "gtest/gtest.h"
#include "socketeer/async_stream.h"
#include "socketeer/host.h"
#include "tests/client/fake_daemon.h"
#include "tests/client/recorder.h"

namespace socketeer {
namespace {

constexpr char kAsItBegan[] = "opened { socket { name: 'sockets/a' } send_window: 1024 }";

class StreamReleaseTest : public ::testing::Test {
 protected:
  // Attaches, and sends 100 bytes: so few that the frame has a copy of them, and only the stream keeps them.
  void SendShared() {
    stream_.emplace(host_.Handle("sockets/a").AttachAsync({}, &told_));
    stream_->Start();
    AwaitCall(kAsItBegan);
    EXPECT_EQ(stream_->Send(absl::MakeCordFromExternal(bytes_, [this] { Release(); })).value(), bytes_.size());
    EXPECT_EQ(call_->NextText().substr(0, 4), "data");
  }
  void AwaitCall(const std::string& opened) {
    call_ = daemon_.attaches().AwaitCall();
    EXPECT_EQ(call_->NextText().substr(0, 4), "open");
    call_->Write(opened);
    EXPECT_EQ(told_.Next(), "opened sockets/a");
  }
  // The caller's function. Another thread asks, so that this one does not stand still for ever if it may not.
  void Release() {
    auto sent = std::async(std::launch::async, [this] { return stream_->sent(); });
    released_.set_value(sent.wait_for(kLongEnough / 2) == std::future_status::ready);
    later_ = std::move(sent);
  }
  bool MayAsk() {
    auto may = released_.get_future();
    return may.wait_for(kLongEnough) == std::future_status::ready && may.get();
  }

  const std::string bytes_ = std::string(100, 'x');
  std::promise<bool> released_;
  std::future<uint64_t> later_;
  FakeDaemon daemon_;
  Host host_ = Host::Connect(daemon_.endpoint()).value();
  Recorder told_;
  std::shared_ptr<FakeAttach::Call> call_;
  std::optional<AsyncStream> stream_;
};

TEST_F(StreamReleaseTest, WhenItIsAccepted) {
  SendShared();
  call_->Write("acknowledge { offset: 100 }");
  EXPECT_TRUE(MayAsk());
}

TEST_F(StreamReleaseTest, WhenSendingFailed) {
  SendShared();
  call_->Write("send_error { code: 10 message: 'pipe' }");
  EXPECT_TRUE(MayAsk());
}

TEST_F(StreamReleaseTest, WhenTheNextCallTellsThatItWasAccepted) {
  SendShared();
  call_->End(FakeAttach::Broken());
  EXPECT_EQ(told_.Next(), "broken UNAVAILABLE");
  AwaitCall("opened { socket { name: 'sockets/a' } send_offset: 100 send_window: 1024 }");
  EXPECT_TRUE(MayAsk());
}

}  // namespace
}  // namespace socketeer
