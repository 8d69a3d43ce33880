// Datagrams and records: each arrives once, whole, and is counted.
#include "tests/faults/sweep.h"

namespace socketeer::net::faults {
namespace {

constexpr std::string_view kRecords[] = {"one", "", "three"};
constexpr std::string_view kAllRecords = "[one][][three]";

std::string First(size_t count) {
  std::string text;
  for (size_t i = 0; i < count; ++i) text += "[" + std::string(kRecords[i]) + "]";
  return text;
}

Outcome SendThem(Stage& stage, const SocketAddress& destination, Mode mode) {
  std::vector<OutgoingDatagram> datagrams;
  for (const std::string_view record : kRecords) datagrams.push_back({.payload = record, .destination = destination});
  auto result = stage.socket()
                    .Start<SendDatagramsOperation, SendDatagramsResult>(mode, stage.patience, datagrams, std::nullopt)
                    .Get();
  if (!result.ok()) {
    std::string done = std::to_string(result.error().datagrams_done);
    return {.error = std::move(result).error(), .value = std::move(done)};
  }
  return {.timed_out = result->timed_out, .value = std::to_string(result->datagrams_sent)};
}

template <Mode kMode>
Outcome RunSendToPeer(Stage& stage) {
  return SendThem(stage, {}, kMode);
}
Outcome RunSendTo(Stage& stage) { return SendThem(stage, stage.addresses[0], Mode::kWhole); }

std::string Arrived(int fd) {
  std::string text;
  char buffer[64];
  while (true) {
    const ssize_t count = ::recv(fd, buffer, sizeof(buffer), MSG_DONTWAIT);
    if (count < 0) return text;
    text += "[" + std::string(buffer, static_cast<size_t>(count)) + "]";
  }
}

void PeerGotThem(Stage& stage, const Outcome& outcome, const CallMade*) {
  EXPECT_EQ(Arrived(stage.scene.other()), First(std::stoul(outcome.value)));
}
void TargetGotThem(Stage& stage, const Outcome& outcome, const CallMade*) {
  EXPECT_EQ(Arrived(stage.held[0].get()), First(std::stoul(outcome.value)));
}

void AddTargetHeld(Stage& stage) {
  stage.held.push_back(testing::PlainTarget(stage.flavour(), stage.scene.FreshAddress()));
  stage.addresses.push_back(testing::AddressOf(stage.held[0].get()));
}

void PeerSendsRecords(Stage& stage) {
  const SocketAddress local = testing::AddressOf(stage.socket().fd());
  const bool connected = stage.flavour().HasConnections();
  for (const std::string_view record : kRecords) {
    EXPECT_EQ(::sendto(stage.scene.other(), record.data(), record.size(), MSG_NOSIGNAL,
                       connected ? nullptr : local.data(), connected ? 0 : local.size()),
              static_cast<ssize_t>(record.size()));
  }
  testing::WaitFor(stage.socket().fd(), POLLIN);
}

Outcome RecordsOf(base::Result<ReceiveDatagramsResult> result) {
  if (!result.ok()) return {.error = std::move(result).error()};
  Outcome outcome{.timed_out = result->timed_out};
  for (const IncomingDatagram& each : result->datagrams) outcome.value += "[" + each.payload + "]";
  if (result->end_of_stream) outcome.value += " and the end";
  return outcome;
}

Outcome Take(Stage& stage, uint32_t count, Mode mode, bool peek = false) {
  return RecordsOf(stage.socket()
                       .Start<ReceiveDatagramsOperation, ReceiveDatagramsResult>(
                           mode, stage.patience,
                           ReceiveDatagramsOperation::Want{.max_datagrams = count,
                                                           .min_datagrams = mode == Mode::kWhole ? count : 1,
                                                           .max_bytes = 1'024,
                                                           .peek = peek})
                       .Get());
}

template <Mode kMode>
Outcome RunReceiveBatch(Stage& stage) {
  Outcome outcome = Take(stage, 3, kMode);
  if (outcome.error || outcome.timed_out || outcome.value == kAllRecords) return outcome;
  // What failed after some had come is told by the next call; EAGAIN says only that they were all.
  Outcome next = Take(stage, 3, kMode);
  next.value = outcome.value + next.value;
  return next;
}

Outcome RunReceiveOne(Stage& stage) { return Take(stage, 1, Mode::kExact); }
Outcome RunPeekRecord(Stage& stage) { return Take(stage, 1, Mode::kWait, true); }

void TheOthersAreThere(Stage& stage, const Outcome& outcome, const CallMade*) {
  std::string all = outcome.value;
  while (all != kAllRecords) {
    const Outcome more = Take(stage, 1, Mode::kExact);
    ASSERT_FALSE(more.error) << more.error->message << ", after " << all;
    all += more.value;
    ASSERT_LE(all.size(), kAllRecords.size()) << all;
  }
  PeerSendsRecords(stage);  // for the next
}
void AllAreThere(Stage& stage, const Outcome&, const CallMade* failed) { TheOthersAreThere(stage, {}, failed); }

}  // namespace

std::vector<Scenario> DatagramScenarios() {
  const auto receive = [](const char* how, Outcome (*run)(Stage&), bool waits) {
    return Scenario{.operation = "receive",
                    .how = how,
                    .applies = HasRecords,
                    .situation = Situation::kConnected,
                    .named = true,
                    .prepare = PeerSendsRecords,
                    .run = run,
                    .verify = TheOthersAreThere,
                    .waits = waits};
  };
  std::vector<Scenario> all = {
      {.operation = "send",
       .how = "EXACT, three records",
       .applies = HasRecords,
       .situation = Situation::kConnected,
       .run = RunSendToPeer<Mode::kExact>,
       .verify = PeerGotThem,
       .waits = true},  // EAGAIN after the first ends it with what was sent
      {.operation = "send",
       .how = "WHOLE, three records",
       .applies = HasRecords,
       .situation = Situation::kConnected,
       .run = RunSendToPeer<Mode::kWhole>,
       .verify = PeerGotThem,
       .waits = true},
      {.operation = "send",
       .how = "three datagrams to an address",
       .applies = IsDgram,
       .prepare = AddTargetHeld,
       .run = RunSendTo,
       .verify = TargetGotThem,
       .waits = true},
      receive("EXACT", RunReceiveOne, false),
      receive("WAIT, three records", RunReceiveBatch<Mode::kWait>, true),
      receive("WHOLE, three records", RunReceiveBatch<Mode::kWhole>, true),
      receive("peek", RunPeekRecord, true),
  };
  all.back().verify = AllAreThere;
  return all;
}

}  // namespace socketeer::net::faults
