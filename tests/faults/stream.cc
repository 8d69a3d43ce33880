// Bytes on a stream: none is lost, none is said twice, and what is said to be done is done.
#include "tests/faults/sweep.h"

namespace socketeer::net::faults {
namespace {

constexpr std::string_view kBytes = "abcdefgh";
constexpr size_t kInOneCall = 3;

template <Mode kMode>
Outcome RunSend(Stage& stage) {
  auto result = stage.socket().Send(kBytes, kMode, stage.patience).Get();
  if (!result.ok()) {
    std::string done = std::to_string(result.error().bytes_done);
    return {.error = std::move(result).error(), .value = std::move(done)};
  }
  return {.timed_out = result->timed_out, .value = std::to_string(result->bytes_sent)};
}

// The peer has got what the socket says it has sent, and no more.
void PeerGotThat(Stage& stage, const Outcome& outcome, const CallMade*) {
  const size_t sent = std::stoul(outcome.value);
  std::string got(kBytes.size() + 1, '\0');
  if (sent > 0) {
    EXPECT_EQ(::recv(stage.scene.other(), got.data(), sent, MSG_WAITALL), static_cast<ssize_t>(sent));
  }
  EXPECT_EQ(got.substr(0, sent), kBytes.substr(0, sent));
  EXPECT_EQ(::recv(stage.scene.other(), got.data(), got.size(), MSG_DONTWAIT), -1) << "it got more than it was said";
}

void PeerSendsBytesLater(Stage& stage) {
  EXPECT_EQ(::send(stage.scene.other(), kBytes.data(), kBytes.size(), MSG_NOSIGNAL),
            static_cast<ssize_t>(kBytes.size()));
}
void PeerSendsBytes(Stage& stage) {
  PeerSendsBytesLater(stage);
  testing::WaitFor(stage.socket().fd(), POLLIN);
}

Outcome ToOutcome(base::Result<ReceiveResult> result) {
  if (!result.ok()) return {.error = std::move(result).error()};
  return {.timed_out = result->timed_out, .value = result->data + (result->end_of_stream ? " and the end" : "")};
}

template <Mode kMode>
Outcome RunReceive(Stage& stage) {
  const uint32_t most = kBytes.size();
  Outcome outcome = ToOutcome(stage.socket().Receive(most, kMode, stage.patience).Get());
  const bool lacks = kMode == Mode::kWhole && outcome.value.size() < most;
  if (!lacks || outcome.error || outcome.timed_out) return outcome;
  // What failed after some bytes had come is told by the next call.
  Outcome next = ToOutcome(stage.socket().Receive(1, Mode::kWait, stage.patience).Get());
  next.value = outcome.value + next.value;
  return next;
}

// Together with what is still there it is all that the peer sent.
void TheRestIsThere(Stage& stage, const Outcome& outcome, const CallMade*) {
  std::string all = outcome.value;
  while (all.size() < kBytes.size()) {
    const auto more = stage.socket().Receive(kBytes.size(), Mode::kExact).Get();
    ASSERT_TRUE(more.ok()) << more.error().message << ", after " << all;
    all += more->data;
  }
  EXPECT_EQ(all, kBytes);
  EXPECT_EQ(stage.socket().observer().gauges().bytes_received.load(), kBytes.size());
  PeerSendsBytes(stage);  // for the next
}

Outcome RunPeek(Stage& stage) {
  return ToOutcome(stage.socket().Receive(kBytes.size(), Mode::kWait, stage.patience, true).Get());
}

void AllIsThere(Stage& stage, const Outcome&, const CallMade*) {
  const auto all = stage.socket().Receive(kBytes.size(), Mode::kExact).Get();
  ASSERT_TRUE(all.ok()) << all.error().message;
  EXPECT_EQ(all->data, kBytes);
  PeerSendsBytes(stage);
}

Outcome RunReceiveBeforeTheBytes(Stage& stage) {
  auto receive = stage.socket().Receive(kBytes.size(), Mode::kWait, stage.patience);
  PeerSendsBytesLater(stage);
  return ToOutcome(receive.Get());
}

}  // namespace

std::vector<Scenario> StreamScenarios() {
  const auto send = [](const char* how, Outcome (*run)(Stage&), bool waits) {
    return Scenario{.operation = "send",
                    .how = how,
                    .applies = IsStream,
                    .situation = Situation::kConnected,
                    .run = run,
                    .verify = PeerGotThat,
                    .waits = waits,
                    .most_bytes = kInOneCall};
  };
  const auto receive = [](const char* how, Outcome (*run)(Stage&), bool waits, size_t most) {
    return Scenario{.operation = "receive",
                    .how = how,
                    .applies = IsStream,
                    .situation = Situation::kConnected,
                    .prepare = PeerSendsBytes,
                    .run = run,
                    .verify = TheRestIsThere,
                    .waits = waits,
                    .most_bytes = most};
  };
  std::vector<Scenario> all = {
      send("EXACT", RunSend<Mode::kExact>, false),
      send("WAIT", RunSend<Mode::kWait>, true),
      send("WHOLE, three calls", RunSend<Mode::kWhole>, true),
      receive("EXACT", RunReceive<Mode::kExact>, false, kInOneCall),
      receive("WAIT", RunReceive<Mode::kWait>, true, 0),
      receive("WHOLE, three calls", RunReceive<Mode::kWhole>, true, kInOneCall),
      receive("WAIT, before there are bytes", RunReceiveBeforeTheBytes, true, 0),
      receive("peek", RunPeek, true, 0),
  };
  all.back().verify = AllIsThere;
  all[6].prepare = nullptr;
  all[6].repeatable = false;  // the bytes are there by then
  all.push_back({.operation = "receive",
                 .how = "the end",
                 .applies = IsStream,
                 .situation = Situation::kPeerClosed,
                 .run = RunReceive<Mode::kWait>,
                 .waits = true});
  return all;
}

}  // namespace socketeer::net::faults
