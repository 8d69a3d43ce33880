#include "client/lib/stream_sender.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "proto/wire/attach_frame.h"

namespace socketeer::internal {
namespace {

v1::AttachOpened OpenedAt(uint64_t offset, uint64_t window = 16, bool write_shutdown = false) {
  v1::AttachOpened opened;
  opened.set_send_offset(offset);
  opened.set_send_window(window);
  opened.mutable_socket()->set_write_shutdown(write_shutdown);
  return opened;
}

// What goes out now: "0:abc" is data, and "" nothing.
std::string Out(StreamSender& sender) {
  std::string text;
  while (auto bytes = sender.NextFrame()) {
    wire::Frame<v1::AttachSocketRequest> frame;
    EXPECT_TRUE(wire::Parse(&*bytes, &frame));
    if (!text.empty()) text += " ";
    if (!frame.data) {
      text += frame.message.ShortDebugString().substr(0, frame.message.ShortDebugString().find(' '));
      continue;
    }
    text += std::to_string(frame.data->offset) + ":";
    for (const grpc::Slice& slice : frame.data->bytes) text.append(slice.begin(), slice.end());
  }
  return text;
}

class StreamSenderTest : public ::testing::Test {
 protected:
  absl::Status Open(const v1::AttachOpened& opened) {
    v1::AttachOpen open;
    sender_->FillOpen(&open);
    offered_ = open.has_send_offset() ? std::to_string(open.send_offset()) : "none";
    shut_ = false;
    return sender_->Opened(opened, &shut_);
  }
  size_t Add(const std::string& bytes) { return sender_->Add(absl::Cord(bytes)); }

  std::optional<StreamSender> sender_{std::in_place, std::nullopt, 0};
  std::string offered_;
  bool shut_ = false;
};

TEST_F(StreamSenderTest, TakesWhatThereIsRoomFor) {
  EXPECT_EQ(Add("early"), 0u);
  ASSERT_TRUE(Open(OpenedAt(100)).ok());
  EXPECT_EQ(offered_, "none");
  EXPECT_EQ(Add("0123456789"), 10u);
  EXPECT_EQ(Add("abcdefghij"), 6u);
  EXPECT_EQ(Add("x"), 0u);
  EXPECT_EQ(sender_->sent(), 116u);
  EXPECT_EQ(Out(*sender_), "100:0123456789abcdef") << "merged, as nothing went out between";
  ASSERT_TRUE(sender_->Accepted(104).ok());
  EXPECT_EQ(Add("XYZ12"), 4u);
  EXPECT_EQ(Out(*sender_), "116:XYZ1");
}

TEST_F(StreamSenderTest, CutsIntoFramesSoThatTwoFitIntoTheWindow) {
  ASSERT_TRUE(Open(OpenedAt(0, 40'000)).ok());
  const std::string bytes(25'000, 'x');
  EXPECT_EQ(Add(bytes), bytes.size());
  EXPECT_EQ(Out(*sender_), "0:" + bytes.substr(0, 20'000) + " 20000:" + bytes.substr(0, 5'000));
}

TEST_F(StreamSenderTest, SendsAgainWhatWasNotAccepted) {
  ASSERT_TRUE(Open(OpenedAt(0)).ok());
  Add("0123456789");
  EXPECT_EQ(Out(*sender_), "0:0123456789");
  ASSERT_TRUE(sender_->Accepted(3).ok());
  ASSERT_TRUE(Open(OpenedAt(5)).ok());
  EXPECT_EQ(offered_, "none");
  EXPECT_EQ(sender_->accepted(), 5u);
  EXPECT_EQ(Out(*sender_), "5:56789");
  ASSERT_TRUE(Open(OpenedAt(10)).ok());
  EXPECT_EQ(Out(*sender_), "");
  Add("ab");
  EXPECT_EQ(Out(*sender_), "10:ab");
}

TEST_F(StreamSenderTest, ADaemonThatLostOrFoundBytesIsWrong) {
  ASSERT_TRUE(Open(OpenedAt(0)).ok());
  Add("0123456789");
  EXPECT_EQ(Out(*sender_), "0:0123456789");
  ASSERT_TRUE(sender_->Accepted(4).ok());
  EXPECT_FALSE(Open(OpenedAt(3)).ok());
  EXPECT_FALSE(Open(OpenedAt(11)).ok());
  EXPECT_FALSE(Open(OpenedAt(4, 0)).ok());
  ASSERT_TRUE(Open(OpenedAt(4)).ok());
  EXPECT_FALSE(sender_->Accepted(3).ok());
  EXPECT_FALSE(sender_->Accepted(5).ok()) << "it is not on this call's wire yet";
  EXPECT_EQ(Out(*sender_), "4:456789");
  EXPECT_TRUE(sender_->Accepted(10).ok());
  EXPECT_FALSE(sender_->Accepted(11).ok());
}

TEST_F(StreamSenderTest, StepsKeepTheirPlace) {
  ASSERT_TRUE(Open(OpenedAt(0)).ok());
  Add("ab");
  sender_->SetOptions({});
  EXPECT_TRUE(sender_->answering());
  Add("cd");
  sender_->Shutdown();
  sender_->Detach();
  EXPECT_TRUE(sender_->closing());
  EXPECT_FALSE(sender_->Answered().ok()) << "not asked yet";
  EXPECT_EQ(Out(*sender_), "0:ab set_options 2:cd shutdown detach");
  EXPECT_TRUE(sender_->detached());
  EXPECT_FALSE(sender_->Answered().ok()) << "before the data that it stands behind";
  ASSERT_TRUE(sender_->Accepted(2).ok());
  EXPECT_TRUE(sender_->Answered().ok());
  EXPECT_FALSE(sender_->answering());
  EXPECT_FALSE(sender_->Answered().ok()) << "twice";
  EXPECT_FALSE(sender_->ShutDown().ok());
  ASSERT_TRUE(Open(OpenedAt(3)).ok());
  EXPECT_FALSE(sender_->detached());
  EXPECT_EQ(Out(*sender_), "3:d shutdown detach");
  ASSERT_TRUE(sender_->Accepted(4).ok());
  EXPECT_TRUE(sender_->ShutDown().ok());
  EXPECT_TRUE(sender_->over());
}

TEST_F(StreamSenderTest, AShutdownWhoseAnswerWasLostIsDone) {
  ASSERT_TRUE(Open(OpenedAt(0)).ok());
  Add("ab");
  sender_->Shutdown();
  ASSERT_TRUE(Open(OpenedAt(1, 16, true)).ok());
  EXPECT_FALSE(shut_) << "somebody else's: not all is accepted, so it was not this one";
  EXPECT_EQ(Out(*sender_), "1:b shutdown");
  ASSERT_TRUE(Open(OpenedAt(2, 16, false)).ok());
  EXPECT_FALSE(shut_);
  EXPECT_EQ(Out(*sender_), "shutdown");
  ASSERT_TRUE(Open(OpenedAt(2, 16, true)).ok());
  EXPECT_TRUE(shut_);
  EXPECT_EQ(Out(*sender_), "");
}

TEST_F(StreamSenderTest, AnErrorDiscardsTheRest) {
  ASSERT_TRUE(Open(OpenedAt(0)).ok());
  Add("abcd");
  sender_->SetOptions({});
  Add("ef");
  sender_->Shutdown();
  ASSERT_TRUE(sender_->Failed().ok());
  EXPECT_TRUE(sender_->over());
  EXPECT_EQ(sender_->sent(), 6u);
  EXPECT_EQ(Out(*sender_), "set_options");
  EXPECT_TRUE(sender_->Answered().ok()) << "what it stood behind will not be accepted";
  EXPECT_FALSE(sender_->Failed().ok()) << "twice";
  ASSERT_TRUE(Open(OpenedAt(2)).ok());
  EXPECT_EQ(Out(*sender_), "");
  sender_->Detach();
  EXPECT_EQ(Out(*sender_), "detach");
}

TEST_F(StreamSenderTest, WhoBeginsBelowWhatIsAcceptedIsSkipped) {
  sender_.emplace(4, 32);
  ASSERT_TRUE(Open(OpenedAt(7, 32)).ok());
  EXPECT_EQ(offered_, "4");
  EXPECT_EQ(sender_->sent(), 4u);
  Add("45");
  EXPECT_EQ(Out(*sender_), "4:45") << "the daemon's frames follow each other from the named offset on";
  ASSERT_TRUE(Open(OpenedAt(7, 32)).ok());
  EXPECT_EQ(offered_, "6");
  Add("6789");
  EXPECT_EQ(Out(*sender_), "6:6789");
  ASSERT_TRUE(Open(OpenedAt(8, 32)).ok());
  EXPECT_EQ(offered_, "none");
  EXPECT_EQ(Out(*sender_), "8:89");
}

TEST_F(StreamSenderTest, BytesAreShared) {
  ASSERT_TRUE(Open(OpenedAt(0, 1 << 20)).ok());
  const std::string bytes(100'000, 'x');
  bool released = false;
  {
    absl::Cord cord = absl::MakeCordFromExternal(bytes, [&released] { released = true; });
    EXPECT_EQ(sender_->Add(cord), bytes.size());
  }
  auto frame = sender_->NextFrame();
  std::vector<grpc::Slice> slices;
  ASSERT_TRUE(frame && frame->Dump(&slices).ok());
  EXPECT_EQ(static_cast<const void*>(slices.back().begin()), bytes.data());
  ASSERT_TRUE(sender_->Accepted(bytes.size()).ok());
  slices.clear();
  frame->Clear();
  EXPECT_FALSE(released) << "who takes what was dropped releases it";
  sender_->TakeDropped();
  EXPECT_TRUE(released);
}

}  // namespace
}  // namespace socketeer::internal
