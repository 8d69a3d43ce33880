// Attached datagrams and listeners: a failure stands in its place, and nothing else is lost.
#include <type_traits>

#include "tests/faults/sweep.h"
#include "tests/net/attach_clients.h"

namespace socketeer::net::faults {
namespace {

using testing::DatagramKeeper;
using testing::ListenerKeeper;

const AttachTerms kTerms{.receive_window = 64, .send_window = 64};
constexpr size_t kThree = 3;
constexpr const char* kSent[kThree] = {"one", "", "three"};

// Attaches `keeper`, does `act` on the loop, and waits until there are `count` notes, or the patience is over.
template <typename Keeper, typename Attach, typename Act>
Outcome Attached(Stage& stage, Keeper& keeper, size_t count, Attach attach, Act act) {
  Outcome outcome;
  std::invoke_result_t<Attach, Socket&> attached = base::Cancelled();
  auto reached = stage.socket().Run([&](Socket& socket) {
    attached = attach(socket);
    if (attached.ok()) {
      (*attached)->Begin();
      act(**attached);
    }
    return keeper.Reaches(count);
  });
  if (!attached.ok()) return {.error = attached.error()};
  reached.wait_for(stage.patience);
  stage.socket().Run([&](Socket&) {
    (*attached)->Leave();
    outcome.error = keeper.last_error;
  });
  return outcome;
}

void PeerSendsThree(Stage& stage) {
  const SocketAddress local = testing::AddressOf(stage.socket().fd());
  const bool connected = stage.flavour().HasConnections();
  for (const std::string_view record : kSent) {
    EXPECT_EQ(::sendto(stage.scene.other(), record.data(), record.size(), MSG_NOSIGNAL,
                       connected ? nullptr : local.data(), connected ? 0 : local.size()),
              static_cast<ssize_t>(record.size()));
  }
  testing::WaitFor(stage.socket().fd(), POLLIN);
}

Outcome RunAttachedReceive(Stage& stage) {
  const auto keeper = std::make_shared<DatagramKeeper>();
  keeper->given = 0;
  Outcome outcome = Attached(
      stage, *keeper, kThree, [&](Socket& socket) { return socket.AttachDatagrams(kTerms, keeper); },
      [](DatagramAttachment&) {});
  outcome.value = std::to_string(keeper->sizes.size());
  return outcome;
}

// None was acknowledged or given: the next calls get them all, and the failure among them.
void AllCanBeReceived(Stage& stage, const Outcome& outcome, const CallMade*) {
  std::string all;
  for (size_t failures = 0; failures < 2;) {
    auto got = stage.socket().ReceiveDatagrams(1, Mode::kExact).Get();
    if (got.ok() && got->datagrams.empty()) break;  // the end
    if (got.ok()) {
      all += "[" + got->datagrams[0].payload + "]";
    } else {
      if (got.error().errno_number == EAGAIN) break;
      EXPECT_TRUE(outcome.error) << got.error().message;
      ++failures;
    }
  }
  EXPECT_EQ(all, "[one][][three]");
}

Outcome RunAttachedSend(Stage& stage) {
  const auto keeper = std::make_shared<DatagramKeeper>();
  const AttachTerms kSendOnly{.receive_window = 0, .send_window = 64};
  Outcome outcome = Attached(
      stage, *keeper, 1, [&](Socket& socket) { return socket.AttachDatagrams(kSendOnly, keeper); },
      [&](DatagramAttachment& attachment) {
        std::vector<QueuedDatagram> datagrams;
        const SocketAddress to = stage.addresses.empty() ? SocketAddress() : stage.addresses[0];
        for (const char* each : kSent) datagrams.push_back({.payload = each, .destination = to});
        EXPECT_TRUE(attachment.Send(0, std::move(datagrams)).ok());
        attachment.Detach();  // behind them
      });
  const auto notes = keeper->Take();
  const bool failed = !notes.empty() && notes[0].find('!') != std::string::npos;
  const size_t skipped = failed ? std::stoul(notes[0]) : kThree;
  for (size_t i = 0; i < keeper->done; ++i) {
    if (i != skipped) outcome.value += "[" + std::string(kSent[i]) + "]";
  }
  return outcome;
}

void TheyArrived(Stage& stage, const Outcome& outcome, const CallMade*) {
  std::string all;
  char buffer[64];
  const int fd = stage.held.empty() ? stage.scene.other() : stage.held[0].get();
  while (true) {
    const ssize_t count = ::recv(fd, buffer, sizeof(buffer), MSG_DONTWAIT);
    if (count < 0) break;
    all += "[" + std::string(buffer, static_cast<size_t>(count)) + "]";
  }
  EXPECT_EQ(all, outcome.value);
}

void ClientConnects(Stage& stage) {
  stage.held.push_back(testing::Plain(stage.flavour()));
  const SocketAddress at = testing::AddressOf(stage.socket().fd());
  EXPECT_EQ(::connect(stage.held.back().get(), at.data(), at.size()), 0);
  testing::WaitFor(stage.socket().fd(), POLLIN);
}

Outcome RunAttachedAccept(Stage& stage) {
  const auto keeper = std::make_shared<ListenerKeeper>(stage.rig);
  keeper->given = 0;
  Outcome outcome = Attached(
      stage, *keeper, 1, [&](Socket& socket) { return socket.AttachListener(kTerms, keeper); },
      [](ListenerAttachment&) {});
  for (TestSocket& each : keeper->made) stage.made.push_back(std::move(each));
  return outcome;
}

void ItCanBeAccepted(Stage& stage, const Outcome&, const CallMade*) {
  auto accepted = stage.socket().Accept(Mode::kExact).Get();
  ASSERT_TRUE(accepted.ok()) << accepted.error().message;
  EXPECT_EQ(accepted->sequence, 0u);
  if (accepted->fd >= 0) ::close(accepted->fd);
}

}  // namespace

std::vector<Scenario> AttachScenarios() {
  return {
      {.operation = "receive",
       .how = "attached",
       .applies = HasRecords,
       .situation = Situation::kConnected,
       .named = true,
       .prepare = PeerSendsThree,
       .run = RunAttachedReceive,
       .verify = AllCanBeReceived,
       .waits = true,
       .repeatable = false},  // it would tell the failure again
      {.operation = "send",
       .how = "attached",
       .applies = HasRecords,
       .situation = Situation::kConnected,
       .run = RunAttachedSend,
       .verify = TheyArrived,
       .waits = true,
       .repeatable = false},
      {.operation = "accept",
       .how = "attached",
       .applies = HasConnections,
       .situation = Situation::kListening,
       .named = true,
       .prepare = ClientConnects,
       .run = RunAttachedAccept,
       .verify = ItCanBeAccepted,
       .waits = true,
       .repeatable = false},
  };
}

}  // namespace socketeer::net::faults
