// AttachSocket: windows, both ways, and frames that are out of order.
#include <thread>

#include "tests/contract/attach_rig.h"

namespace socketeer::contract {
namespace {

using grpc::StatusCode;

class AttachCredit : public AttachTest {
 protected:
  // Sends at the peer, from `offset` on, until the kernel takes no more; up to where.
  uint64_t Fill(uint64_t offset) {
    while (true) {
      v1::SendDataRequest request;
      request.set_name(pair_.server.name());
      request.set_mode(v1::MODE_EXACT);
      request.set_data(Pattern(offset, 65'536));
      const auto reply = server_->Ask(&Stub::SendData, request);
      if (!reply.ok()) {
        EXPECT_EQ(reply.problem().reason, "EAGAIN");
        return offset;
      }
      offset += reply->bytes_sent();
    }
  }
  bool Writable() {
    const std::string item = "items { condition: CONDITION_WRITABLE " + Rig::At(pair_.client) + "}";
    return !server_->Ask(&Stub::AwaitSockets, item + "timeout {}")->timed_out();
  }
  // Sends as far as the window goes, until the kernel has taken all it takes.
  void FillUp(Attached& attached) {
    while (true) {
      while (attached.credit() > 0) {
        attached.Send(Pattern(attached.sent(), std::min<size_t>(attached.credit(), 5'000)));
      }
      const bool writable = Writable();
      EXPECT_TRUE(attached.AcceptedUntil(rig_.Get(pair_.client).counters().bytes_sent()));
      if (!writable && attached.credit() == 0) return;
    }
  }
  // Opens, writes each of `frames`, and says how it ends.
  Problem EndBehind(const std::vector<std::string>& frames, const std::string& open = "") {
    Attached attached(server_.caller(), pair_.client, open);
    EXPECT_FALSE(attached.refused());
    for (const std::string& frame : frames) attached.Write(frame);
    return attached.End();
  }
  void ExpectOutOfRange(const Problem& problem, const std::string& field, uint64_t given, uint64_t lowest,
                        uint64_t next) {
    EXPECT_EQ(problem.code, StatusCode::OUT_OF_RANGE);
    EXPECT_EQ(problem.reason, "OFFSET_OUT_OF_RANGE") << problem.message;
    EXPECT_TRUE(problem.rich);
    EXPECT_EQ(problem.error.operation(), "attach");
    EXPECT_EQ(problem.error.socket(), pair_.client.name());
    EXPECT_EQ(problem.Given("field"), field);
    EXPECT_EQ(problem.Given("given"), std::to_string(given));
    EXPECT_EQ(problem.Given("lowest"), std::to_string(lowest));
    EXPECT_EQ(problem.Given("next"), std::to_string(next));
  }
};
INSTANTIATE_TEST_SUITE_P(Kinds, AttachCredit, ::testing::Values(KindNamed("tcp4"), KindNamed("unix")), KindName);

TEST_P(AttachCredit, AClientThatGrantsNothingStopsThePeer) {
  constexpr uint64_t kWindow = 65'536;
  Attached attached(server_.caller(), pair_.client, "receive_window: 65536");
  SendAll(Pattern(0, kWindow));
  EXPECT_TRUE(attached.ReceiveUntil(kWindow, false));
  const uint64_t all = Fill(kWindow);
  Settle(attached);
  EXPECT_EQ(attached.received(), kWindow) << "nothing beyond the window";
  EXPECT_EQ(Retained(), kWindow);
  attached.Acknowledge(1);
  EXPECT_TRUE(attached.ReceiveUntil(kWindow + 1, false));
  Settle(attached);
  EXPECT_EQ(attached.received(), kWindow + 1);
  attached.Acknowledge(kWindow + 1);
  EXPECT_TRUE(attached.ReceiveUntil(all));
  EXPECT_TRUE(attached.TakeData() == Pattern(0, all));
  attached.Detach();
}

TEST_P(AttachCredit, AFullKernelStopsTheClient) {
  Attached attached(server_.caller(), pair_.client, "send_window: 32768");
  FillUp(attached);
  EXPECT_EQ(attached.sent(), attached.accepted() + 32'768);
  EXPECT_TRUE(ReceiveAll(attached.sent()) == Pattern(0, attached.sent()));
  EXPECT_TRUE(attached.AcceptedUntil(attached.sent()));
  attached.Detach();
}

TEST_P(AttachCredit, DataBeyondTheWindowEndsTheStream) {
  const Problem problem = EndBehind({"data { data: '123456789' }"}, "send_window: 8");
  EXPECT_EQ(problem.code, StatusCode::OUT_OF_RANGE);
  EXPECT_EQ(problem.reason, "CREDIT_EXCEEDED");
  EXPECT_EQ(problem.Given("field"), "data");
  EXPECT_EQ(problem.Given("given"), "9");
  EXPECT_EQ(problem.Given("allowed"), "8");
  EXPECT_EQ(problem.error.operation(), "attach");
  // The socket is as it was.
  rig_.Send(pair_.client, "and on");
  EXPECT_EQ(ReceiveAll(6), "and on");
  {
    Attached attached(server_.caller(), pair_.client, "send_window: 8");
    attached.Send("12345678");
    EXPECT_EQ(ReceiveAll(8), "12345678") << "all of it may be used";
    EXPECT_TRUE(attached.AcceptedUntil(14));
    attached.Send("12345678");
    EXPECT_EQ(ReceiveAll(8), "12345678") << "and again";
    attached.Detach();
  }
}

// What looks full may take a little more; so these try until it does not.
TEST_P(AttachCredit, TheWindowDoesNotMoveBeforeTheKernelHasTheBytes) {
  Attached full(server_.caller(), pair_.client, "send_window: 8192");
  std::optional<v1::AttachSocketResponse> more;
  do {
    FillUp(full);
    full.Send(Pattern(full.sent(), 1));
    more = full.Next();  // it had taken some, or the stream ends
  } while (more);
  EXPECT_EQ(full.End().reason, "CREDIT_EXCEEDED");
}

// Two set_options at once, and one behind detach, while what comes before cannot be done.
TEST_P(AttachCredit, FramesThatComeTooEarly) {
  for (const std::string first : {"set_options { rcvlowat: 1 }", "detach {}"}) {
    Problem problem;
    do {
      Attached attached(server_.caller(), pair_.client, "send_window: 8192");
      FillUp(attached);
      attached.Write(first);
      attached.Write("set_options { rcvlowat: 1 }");
      attached.Write("open {}");  // the end in any case
      problem = attached.End();
    } while (problem.code == StatusCode::OK || problem.Given("given") == "open");
    EXPECT_EQ(problem.reason, "INVALID_FIELD") << first;
    EXPECT_EQ(problem.Given("given"), "set_options") << first;
  }
}

// Guards: a stream of tiny frames costs more than its window says.
TEST_P(AttachCredit, SmallFramesArriveAsWell) {
  Attached attached(server_.caller(), pair_.client, "send_window: 8192 receive_window: 8192");
  FillUp(attached);
  const uint64_t base = attached.sent();
  EXPECT_TRUE(ReceiveAll(base) == Pattern(0, base));
  EXPECT_TRUE(attached.AcceptedUntil(base));
  for (uint64_t at = base; at < base + 8'192; ++at) attached.Send(Pattern(at, 1));
  EXPECT_TRUE(ReceiveAll(8'192) == Pattern(base, 8'192));
  for (int i = 0; i < 100; ++i) rig_.Send(pair_.server, Pattern(static_cast<uint64_t>(i), 1));
  EXPECT_TRUE(attached.ReceiveUntil(100));
  EXPECT_TRUE(attached.TakeData() == Pattern(0, 100));
  attached.Detach();
}

// Guards: a frame for each byte that came, while the client does not read, costs a hundred times its window.
TEST_P(AttachCredit, SmallPiecesThatWaitForTheClientBecomeOne) {
  constexpr uint64_t kMuch = 512 << 10;
  grpc::ChannelArguments arguments;  // so that gRPC takes little of what is not read
  arguments.SetInt(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, 65'536);
  arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  const testing::Caller caller(server_.server().addresses()[0], "", arguments);
  Attached attached(caller, pair_.client, "receive_window: 1048576");
  std::jthread writer([&] { SendAll(Pattern(0, kMuch)); });
  const auto kept = [&](uint64_t bytes) {
    return testing::Eventually([&] { return Retained() == bytes; }, "who reads nothing hears nothing");
  };
  ASSERT_TRUE(kept(kMuch));
  for (uint64_t at = kMuch; at < kMuch + 200; ++at) {
    rig_.Send(pair_.server, Pattern(at, 1));
    ASSERT_TRUE(kept(at + 1));
  }
  int frames = 0;
  for (; attached.received() < kMuch + 200; ++frames) ASSERT_TRUE(attached.Next());
  EXPECT_TRUE(attached.TakeData() == Pattern(0, kMuch + 200));
  EXPECT_LT(frames, 100);
  attached.Detach();
}

TEST_P(AttachCredit, OffsetsFollowEachOther) {
  rig_.Send(pair_.client, "abcd");
  EXPECT_EQ(ReceiveAll(4), "abcd");
  ExpectOutOfRange(EndBehind({"data { offset: 3 data: 'x' }"}), "data.offset", 3, 4, 4);
  ExpectOutOfRange(EndBehind({"data { offset: 5 data: 'x' }"}), "data.offset", 5, 4, 4);
  ExpectOutOfRange(EndBehind({"data { offset: 4 data: 'ef' }", "data { offset: 5 data: 'x' }"}), "data.offset", 5, 6,
                   6);
  EXPECT_EQ(ReceiveAll(2), "ef") << "what came before the error was in order";
  ExpectOutOfRange(EndBehind({"data { offset: 18446744073709551615 data: 'xx' }"}), "data.offset", ~uint64_t{0}, 6, 6);
  // Who says so may repeat what the kernel has, in frames of any cut.
  Attached again(server_.caller(), pair_.client, "send_offset: 2");
  EXPECT_EQ(again.opened().send_offset(), 6u);
  again.Write("data { offset: 2 data: 'c' }");
  again.Write("data { offset: 3 data: 'defgh' }");
  EXPECT_EQ(ReceiveAll(2), "gh");
  EXPECT_TRUE(again.AcceptedUntil(8));
  again.Detach();
  ExpectOutOfRange(Attached(server_.caller(), pair_.client, "send_offset: 9").End(), "open.send_offset", 9, 0, 8);
  ExpectOutOfRange(EndBehind({"data { offset: 8 data: 'x' }"}, "send_offset: 7"), "data.offset", 8, 7, 7);
}

TEST_P(AttachCredit, AcknowledgementsFollowEachOther) {
  rig_.Send(pair_.server, "abcdef");
  {
    Attached attached(server_.caller(), pair_.client, "receive_window: 4");
    EXPECT_TRUE(attached.ReceiveUntil(4, false));
    attached.Acknowledge(2);
    EXPECT_TRUE(attached.ReceiveUntil(6, false));
    attached.Acknowledge(2);  // again: nothing new
    attached.Acknowledge(1);
    ExpectOutOfRange(attached.End(), "acknowledge.offset", 1, 2, 6);
  }
  ExpectOutOfRange(EndBehind({"acknowledge { offset: 18446744073709551615 }"}, "receive_offset: 6"),
                   "acknowledge.offset", ~uint64_t{0}, 6, 6);
  ExpectOutOfRange(EndBehind({"acknowledge { offset: 7 }"}), "acknowledge.offset", 7, 6, 6);
  ExpectOutOfRange(Attached(server_.caller(), pair_.client, "receive_offset: 5").End(), "open.receive_offset", 5, 6, 6);
}

TEST_P(AttachCredit, FramesOutOfOrder) {
  const struct {
    std::vector<std::string> frames;
    std::string field;
    std::string given;
  } cases[] = {
      {{""}, "frame", "none"},
      {{"open { name: '" + pair_.client.name() + "' }"}, "frame", "open"},
      {{"data {}"}, "data.data", "0 bytes"},
      {{"data { offset: 0 }"}, "data.data", "0 bytes"},
      {{"shutdown {}", "data { data: 'x' }"}, "frame", "data"},
      {{"shutdown {}", "shutdown {}"}, "frame", "shutdown"},
  };
  for (const auto& each : cases) {
    SCOPED_TRACE(each.frames.back());
    Attached attached(server_.caller(), pair_.client);
    for (const std::string& frame : each.frames) attached.Write(frame);
    const Problem problem = attached.End();
    EXPECT_EQ(problem.code, StatusCode::INVALID_ARGUMENT);
    EXPECT_EQ(problem.reason, "INVALID_FIELD") << problem.message;
    EXPECT_EQ(problem.Given("field"), each.field);
    EXPECT_EQ(problem.Given("given"), each.given);
    EXPECT_FALSE(problem.Given("allowed").empty());
    EXPECT_EQ(problem.error.socket(), pair_.client.name());
  }
  for (const std::string first :
       {"data { data: 'x' }", "acknowledge {}", "shutdown {}", "set_options {}", "detach {}", ""}) {
    Attached attached(server_.caller());
    attached.Write(first);
    const Problem problem = attached.End();
    EXPECT_EQ(problem.reason, "INVALID_FIELD") << first;
    EXPECT_EQ(problem.Given("field"), "frame") << first;
  }
  Attached silent(server_.caller());
  silent.HalfClose();
  EXPECT_EQ(silent.End().Given("given"), "none");
}

TEST_P(AttachCredit, BadOpenings) {
  const auto refused = [&](const std::string& open) {
    Attached attached(server_.caller());
    attached.Write("open { " + open + " }");
    return attached.End();
  };
  const std::string at = "name: '" + pair_.client.name() + "' ";
  EXPECT_EQ(refused("name: 'x'").Given("field"), "open.name");
  EXPECT_EQ(refused("name: '" + std::string(1 << 20, 'x') + "'").Given("field"), "open.name");
  EXPECT_EQ(refused("name: 'sockets/never'").reason, "SOCKET_NOT_FOUND");
  EXPECT_EQ(refused(at + "uid: 'other'").reason, "UID_MISMATCH");
  for (const std::string field : {"receive_window", "send_window"}) {
    const Problem problem = refused(at + field + ": 4194305");
    EXPECT_EQ(problem.Given("field"), "open." + field);
    EXPECT_EQ(problem.Given("allowed"), "0 to 4194304");
  }
  const v1::Socket fresh = rig_.Open();
  EXPECT_EQ(refused("name: '" + fresh.name() + "'").reason, "WRONG_STATE");
  Rig records(KindNamed("useqp"), server_);
  EXPECT_EQ(refused("name: '" + records.Bound().name() + "'").reason, "WRONG_STATE");
}

}  // namespace
}  // namespace socketeer::contract
