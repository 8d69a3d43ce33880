// What an attachment leaves behind, whoever its client is. (What it does for one: tests/contract/attach_*_test.cc.)
#include "server/net/attachment.h"

#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <string>

#include "tests/net/attach_clients.h"
#include "tests/net/ends.h"

namespace socketeer::net {
namespace {

using testing::BytesKeeper;
using testing::Ends;
using testing::Flavour;
using testing::kTcp;
using testing::kUnix;
using testing::Rig;

class AttachmentTest : public ::testing::TestWithParam<Flavour> {
 protected:
  // Attaches; what has come by now is handed out.
  void Attach() {
    keeper_ = std::make_shared<BytesKeeper>();
    attachment_ = ends_.socket.Run([this](Socket& socket) {
      auto attached = socket.Attach({.receive_window = 100, .send_window = 100}, keeper_);
      EXPECT_TRUE(attached.ok());
      (*attached)->Begin();
      return *attached;
    });
  }
  void Leave() {
    ends_.socket.Run([this](Socket&) { std::exchange(attachment_, nullptr)->Leave(); });
  }

  Rig rig_;
  Ends ends_{rig_, GetParam()};
  std::shared_ptr<BytesKeeper> keeper_;
  std::shared_ptr<Attachment> attachment_;
};
INSTANTIATE_TEST_SUITE_P(Kinds, AttachmentTest, ::testing::Values(kTcp, kUnix),
                         [](const auto& each) { return std::string(each.param.name); });

// What the client had no chance to pass on goes to the next call that names no offset.
TEST_P(AttachmentTest, OnlyWhatWasPassedOnWasGiven) {
  ends_.Deliver("abcdef");
  Attach();
  EXPECT_EQ(keeper_->received, "abcdef");
  keeper_->given = 2;
  Leave();
  EXPECT_FALSE(keeper_->detached) << "it left by itself";
  EXPECT_EQ(ends_.socket.Receive(1, Mode::kExact).Get()->data, "c");
  Attach();
  EXPECT_EQ(keeper_->received, "def");
}

// Else a client who gets nothing and acknowledges all would have no end of bytes wait for it.
TEST_P(AttachmentTest, NobodyAcknowledgesWhatWaitsToBePassedOn) {
  ends_.Deliver("abcdef");
  Attach();
  ends_.socket.Run([this](Socket&) {
    keeper_->given = 2;
    const auto refused = attachment_->Acknowledge(3);
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().reason, "OFFSET_OUT_OF_RANGE");
    EXPECT_TRUE(attachment_->Acknowledge(2).ok());
  });
}

// As the kernel does with bytes that nobody has read.
TEST_P(AttachmentTest, CloseTellsThePeerOfWhatWasNotGiven) {
  for (const bool given : {false, true}) {
    Ends ends(rig_, GetParam());
    ends.Deliver("abc");
    auto keeper = std::make_shared<BytesKeeper>();
    ends.socket.Run([&](Socket& socket) {
      (*socket.Attach({.receive_window = 100, .send_window = 100}, keeper))->Begin();
      keeper->given = given ? 3 : 0;
    });
    ends.socket.Close();
    rig_.Run([] {});  // it is told a little after the close
    EXPECT_TRUE(keeper->detached);
    char byte;
    const ssize_t got = ::recv(ends.peer.get(), &byte, 1, 0);
    const bool reset = got < 0 && errno == ECONNRESET;
    EXPECT_EQ(reset, !given && !GetParam().IsUnix());
  }
}

// What came and was not acknowledged is there for others, once the stream is gone, and who waits is told so.
TEST_P(AttachmentTest, WhoWaitsIsToldWhenItIsOver) {
  ends_.Deliver("abc");
  Attach();
  auto readable = std::make_shared<std::promise<void>>();
  auto future = readable->get_future();
  ends_.socket.Run([&](Socket& socket) {
    socket.AddWaiter({.id = Shard::NextId(),
                      .condition = Condition::kReadable,
                      .done = [readable](base::Result<const SocketInfo*>) { readable->set_value(); }});
  });
  EXPECT_EQ(future.wait_for(std::chrono::seconds(0)), std::future_status::timeout) << "the stream has its bytes";
  Leave();
  EXPECT_EQ(future.wait_for(std::chrono::seconds(30)), std::future_status::ready);
}

}  // namespace
}  // namespace socketeer::net
