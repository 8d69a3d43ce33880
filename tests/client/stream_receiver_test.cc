#include "client/lib/stream_receiver.h"

#include <optional>
#include <string>
#include <utility>

#include "gtest/gtest.h"

namespace socketeer::internal {
namespace {

class StreamReceiverTest : public ::testing::Test {
 protected:
  absl::Status Open(uint64_t offset) {
    v1::AttachOpen open;
    receiver_->FillOpen(&open);
    named_ = open.has_receive_offset() ? std::to_string(open.receive_offset()) : "none";
    v1::AttachOpened opened;
    opened.set_receive_offset(offset);
    return receiver_->Opened(opened);
  }
  // What is new of it, or "wrong".
  std::string Receive(uint64_t offset, const std::string& bytes) {
    wire::DataFrame frame{.offset = offset};
    if (!bytes.empty()) frame.bytes.emplace_back(bytes);
    const auto got = receiver_->Received(frame);
    return got.ok() ? std::string(*got) : "wrong";
  }

  std::optional<StreamReceiver> receiver_{std::in_place, std::nullopt, 8};
  std::string named_;
};

TEST_F(StreamReceiverTest, BytesFollowEachOther) {
  ASSERT_TRUE(Open(100).ok());
  EXPECT_EQ(named_, "none");
  EXPECT_EQ(receiver_->consumed(), 100u);
  EXPECT_EQ(Receive(100, "abc"), "abc");
  EXPECT_EQ(Receive(102, "cd"), "wrong");
  EXPECT_EQ(Receive(104, "e"), "wrong");
  EXPECT_EQ(Receive(103, ""), "wrong");
  EXPECT_EQ(Receive(103, "de"), "de");
}

TEST_F(StreamReceiverTest, TheWindowHolds) {
  ASSERT_TRUE(Open(0).ok());
  EXPECT_EQ(Receive(0, "123456789"), "wrong");
  EXPECT_EQ(Receive(0, "1234567"), "1234567");
  EXPECT_EQ(Receive(7, "89"), "wrong");
  receiver_->Consume(1);
  EXPECT_EQ(Receive(7, "89"), "wrong") << "it was not told so yet";
  EXPECT_TRUE(receiver_->owes());
  EXPECT_FALSE(receiver_->owes_much());
  receiver_->Consume(1);
  EXPECT_TRUE(receiver_->owes_much()) << "a quarter of 8";
  EXPECT_EQ(receiver_->Acknowledge(), 2u);
  EXPECT_FALSE(receiver_->owes());
  EXPECT_EQ(Receive(7, "89"), "89");
}

TEST_F(StreamReceiverTest, GoesOnAtWhatIsConsumedAndDropsWhatCameBefore) {
  ASSERT_TRUE(Open(0).ok());
  EXPECT_EQ(Receive(0, "abcdef"), "abcdef");
  receiver_->Consume(2);
  v1::AttachOpen open;
  receiver_->FillOpen(&open);
  EXPECT_EQ(open.receive_offset(), 2u);
  receiver_->Consume(1);  // while the call is opened
  v1::AttachOpened opened;
  opened.set_receive_offset(2);
  ASSERT_TRUE(receiver_->Opened(opened).ok());
  EXPECT_FALSE(receiver_->owes()) << "nothing came by this call that could be acknowledged";
  EXPECT_EQ(Receive(2, "cde"), "");
  EXPECT_TRUE(receiver_->owes());
  EXPECT_EQ(receiver_->Acknowledge(), 3u);
  EXPECT_EQ(Receive(5, "fgh"), "gh");
  EXPECT_EQ(Receive(8, "ijkl"), "wrong") << "what was not consumed counts, whenever it came";
}

TEST_F(StreamReceiverTest, ADaemonThatBeginsElsewhereIsWrong) {
  receiver_.emplace(5, 8);
  EXPECT_FALSE(Open(4).ok());
  EXPECT_EQ(named_, "5");
  EXPECT_FALSE(Open(6).ok());
  ASSERT_TRUE(Open(5).ok());
  EXPECT_EQ(Receive(5, "abc"), "abc");
  receiver_->Consume(3);
  EXPECT_FALSE(Open(7).ok());
  EXPECT_EQ(named_, "8");
}

TEST_F(StreamReceiverTest, TheEndComesOnceBehindAllBytes) {
  ASSERT_TRUE(Open(0).ok());
  EXPECT_EQ(Receive(0, "abc"), "abc");
  EXPECT_FALSE(receiver_->Ended(2).ok());
  EXPECT_FALSE(receiver_->Ended(4).ok());
  EXPECT_EQ(receiver_->Ended(3).value(), true);
  EXPECT_FALSE(receiver_->Ended(3).ok());
  EXPECT_EQ(Receive(3, "d"), "wrong");
  // By the next call it is told again, behind what was not consumed.
  ASSERT_TRUE(Open(0).ok());
  EXPECT_FALSE(receiver_->Ended(0).ok());
  EXPECT_FALSE(receiver_->Ended(std::nullopt).ok());
  EXPECT_EQ(Receive(0, "abc"), "");
  EXPECT_EQ(Receive(3, "d"), "wrong");
  ASSERT_TRUE(Open(0).ok());
  EXPECT_EQ(Receive(0, "abc"), "");
  EXPECT_EQ(receiver_->Ended(std::nullopt).value(), false);
}

// Of an error that did not end the connection the kernel tells once, and then bytes come.
TEST_F(StreamReceiverTest, BytesThatComeWhenAnErrorWasToldAreDropped) {
  ASSERT_TRUE(Open(0).ok());
  EXPECT_EQ(Receive(0, "abc"), "abc");
  EXPECT_EQ(receiver_->Ended(std::nullopt).value(), true);
  EXPECT_EQ(Receive(3, "d"), "wrong") << "by the same call";
  receiver_->Consume(3);
  for (int call = 0; call < 2; ++call) {
    ASSERT_TRUE(Open(3).ok());
    EXPECT_EQ(named_, "3") << "they stay with the socket";
    EXPECT_EQ(Receive(3, "de"), "");
    EXPECT_FALSE(receiver_->owes());
    EXPECT_EQ(Receive(5, "f"), "");
    EXPECT_EQ(receiver_->Ended(6).value(), false);
  }
}

TEST_F(StreamReceiverTest, BytesAreShared) {
  receiver_.emplace(std::nullopt, 1 << 20);
  ASSERT_TRUE(Open(0).ok());
  wire::DataFrame frame;
  frame.bytes.emplace_back(std::string(10'000, 'x'));
  const absl::Cord bytes = receiver_->Received(frame).value();
  EXPECT_EQ(static_cast<const void*>(bytes.chunk_begin()->data()), frame.bytes[0].begin());
}

}  // namespace
}  // namespace socketeer::internal
