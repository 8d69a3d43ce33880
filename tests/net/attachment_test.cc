// What an attachment leaves behind, whoever its client is. (What it does for one: tests/contract/attach_*_test.cc.)
#include "server/net/attachment.h"

#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <string>

#include "tests/net/attach_clients.h"
#include "tests/net/ends.h"
#include "tests/support/manual_clock.h"

namespace socketeer::net {
namespace {

using namespace std::chrono_literals;
using testing::BytesKeeper;
using testing::Ends;
using testing::Flavour;
using testing::kTcp;
using testing::kUnix;
using testing::Rig;

class AttachmentTest : public ::testing::TestWithParam<Flavour> {
 protected:
  // Attaches; what has come by now is handed out.
  void Attach(std::optional<uint64_t> offset = {}, std::shared_ptr<const Actor> actor = nullptr) {
    keeper_ = std::make_shared<BytesKeeper>();
    attachment_ = ends_.socket.Run([&](Socket& socket) {
      AttachTerms terms{.receive_offset = offset, .receive_window = 100, .send_window = 100};
      terms.actor = std::move(actor);
      auto attached = socket.Attach(terms, keeper_);
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

TEST_P(AttachmentTest, WhoLeavesTakesNothingBackOfWhatWasGivenBefore) {
  ends_.Deliver("abcdef");
  Attach();
  keeper_->given = 6;
  Leave();
  Attach(0);
  EXPECT_EQ(keeper_->received, "abcdef");
  keeper_->given = 2;
  Leave();
  ends_.Deliver("g");
  EXPECT_EQ(ends_.socket.Receive(1, Mode::kExact).Get()->data, "g");
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

// It leaves the socket a moment later; until then nothing passes, either way, and nothing is lost to the owner.
TEST_P(AttachmentTest, WhoseGrantWasWithdrawnDoesNothingMore) {
  const auto guest = std::make_shared<Actor>();
  Attach({}, guest);
  guest->withdrawn.store(true);
  ends_.PeerSends("abc");
  testing::WaitFor(ends_.socket.fd(), POLLIN);
  ends_.socket.Run([this](Socket&) { EXPECT_TRUE(attachment_->Send(0, {base::Chunk::Of("never")}).ok()); });
  EXPECT_EQ(keeper_->received, "");
  char byte;
  EXPECT_EQ(::recv(ends_.peer.get(), &byte, 1, MSG_DONTWAIT), -1);
  Leave();
  EXPECT_EQ(ends_.socket.Receive(3, Mode::kExact).Get()->data, "abc");
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

// A message of the caller's lies in memory that it shares with others: who does not read must not keep that.
TEST_P(AttachmentTest, WhatStandsStillKeepsNoMemoryButItsOwn) {
  ::socketeer::testing::ManualClock clock;
  Rig rig(16, clock);
  Ends ends(rig, GetParam());
  std::string sent(8 << 20, 'x');  // more than the kernel takes
  for (size_t at = 0; at < sent.size(); at += 997) sent[at] = static_cast<char>('a' + at % 23);
  auto theirs = std::make_shared<const std::string>(sent);
  const std::weak_ptr<const std::string> left = theirs;
  ends.socket.Run([&](Socket& socket) {
    const auto attached = socket.Attach({.send_window = 64 << 20}, std::make_shared<BytesKeeper>());
    const std::string_view bytes = *theirs;
    EXPECT_TRUE((*attached)->Send(0, {base::Chunk(std::move(theirs), bytes)}).ok());
  });
  rig.Run([] {});
  EXPECT_FALSE(left.expired()) << "it may be only busy";
  for (int i = 0; i < 1'000 && !left.expired(); ++i) {  // the kernel may take some more meanwhile
    clock.Advance(100ms);
    rig.Run([] {});
  }
  EXPECT_TRUE(left.expired());
  std::string arrived(sent.size(), 0);
  ASSERT_EQ(::recv(ends.peer.get(), arrived.data(), arrived.size(), MSG_WAITALL), static_cast<ssize_t>(sent.size()));
  EXPECT_TRUE(arrived == sent);
}

}  // namespace
}  // namespace socketeer::net
