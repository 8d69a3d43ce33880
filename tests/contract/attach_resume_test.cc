// AttachSocket: a stream that goes on with another, and what of its bytes was given when one ends.
#include "tests/contract/attach_rig.h"

namespace socketeer::contract {
namespace {

using grpc::StatusCode;

class AttachResume : public AttachTest {
 protected:
  std::string Resuming(const Attached& former) {
    return "resumes: " + std::to_string(former.opened().attachment()) + " ";
  }
  // It is refused, for somebody else had the data.
  void ExpectTaken(const std::string& open) {
    Attached refused(server_.caller(), pair_.client, open);
    EXPECT_TRUE(refused.refused());
    const Problem problem = refused.End();
    EXPECT_EQ(problem.code, StatusCode::ABORTED);
    EXPECT_EQ(problem.reason, "TAKEN_OVER") << problem.message;
  }
};
INSTANTIATE_TEST_SUITE_P(Kinds, AttachResume, ::testing::Values(KindNamed("tcp4"), KindNamed("unix")), KindName);

TEST_P(AttachResume, GoesOnWithOneThatTheDaemonStillHas) {
  Attached former(server_.caller(), pair_.client);
  EXPECT_NE(former.opened().attachment(), 0u);
  SendAll("abcdef");
  EXPECT_TRUE(former.ReceiveUntil(6, false));
  Attached next(server_.caller(), pair_.client, Resuming(former) + "receive_offset: 2");
  EXPECT_EQ(next.opened().attachment(), former.opened().attachment());
  EXPECT_EQ(former.End().reason, "TAKEN_OVER");
  EXPECT_TRUE(next.ReceiveUntil(6));
  EXPECT_EQ(next.TakeData(), "cdef");
  next.Cut();
  Attached third(server_.caller(), pair_.client, Resuming(former));
  EXPECT_FALSE(third.refused()) << "also of one that is gone";
  third.Detach();
  Attached fourth(server_.caller(), pair_.client, Resuming(former));
  EXPECT_FALSE(fourth.refused()) << "and of one that ended in order: its answer may have been lost";
}

TEST_P(AttachResume, IsRefusedWhenAnotherStreamWasThere) {
  Attached first(server_.caller(), pair_.client);
  const std::string resuming = Resuming(first);
  first.Detach();
  Attached other(server_.caller(), pair_.client);
  EXPECT_NE(other.opened().attachment(), first.opened().attachment());
  ExpectTaken(resuming + "takeover: true");
  SendAll("a");
  EXPECT_TRUE(other.ReceiveUntil(1)) << "it is left alone";
}

TEST_P(AttachResume, IsRefusedWhenACallHadTheData) {
  for (const std::string call : {"send", "receive"}) {
    Attached stream(server_.caller(), pair_.client);
    const std::string resuming = Resuming(stream);
    stream.Detach();
    if (call == "send") {
      EXPECT_TRUE(Ok(server_->Ask(&Stub::SendData, Rig::At(pair_.client) + "data: 'x'")));
    } else {
      EXPECT_FALSE(server_->Ask(&Stub::ReceiveData, Rig::At(pair_.client) + "mode: MODE_EXACT").ok());
    }
    ExpectTaken(resuming);
  }
}

// What a stream in its order has sent before it ends was given, though it waited when the daemon learned of the end.
TEST_P(AttachResume, AfterADetachNothingComesTwice) {
  constexpr uint64_t kAll = 1 << 20;
  Attached slow(server_.caller(), pair_.client, "receive_window: 1048576");
  SendAll(Pattern(0, kAll));
  EXPECT_TRUE(testing::Eventually([&] { return rig_.Get(pair_.client).counters().retained_bytes() == kAll; },
                                  "the daemon reads its kernel by itself"));
  slow.Write("detach {}");
  EXPECT_EQ(slow.End().code, StatusCode::OK);
  EXPECT_EQ(slow.received(), kAll);
  SendAll("next");
  Attached unnamed(server_.caller(), pair_.client);
  EXPECT_EQ(unnamed.opened().receive_offset(), kAll);
  EXPECT_TRUE(unnamed.ReceiveUntil(kAll + 4));
  EXPECT_EQ(unnamed.TakeData(), "next");
  unnamed.Detach();
}

// A stream that breaks before it got anything takes nothing back of what was given before it.
TEST_P(AttachResume, WhatWasGivenStaysGiven) {
  SendAll("abcdef");
  Attached first(server_.caller(), pair_.client);
  EXPECT_TRUE(first.ReceiveUntil(6, false));
  first.Cut();
  Attached second(server_.caller(), pair_.client, "receive_offset: 0 takeover: true receive_window: 1");
  EXPECT_TRUE(second.ReceiveUntil(1, false));
  second.Cut();
  Attached third(server_.caller(), pair_.client, "takeover: true");
  EXPECT_EQ(third.opened().receive_offset(), 6u);
}

}  // namespace
}  // namespace socketeer::contract
