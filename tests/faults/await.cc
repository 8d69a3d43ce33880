// Waiting for a condition: whoever waits is told, that it holds or why it cannot be seen; nobody waits for ever.
#include "tests/faults/sweep.h"

namespace socketeer::net::faults {
namespace {

Outcome AwaitNow(Stage& stage, Condition condition, uint32_t bytes, void (*then)(Stage&) = nullptr) {
  const auto promise = std::make_shared<std::promise<base::Result<bool>>>();
  auto future = promise->get_future();
  const WaiterId id = Shard::NextId();
  stage.socket().Run([&](Socket& socket) {
    socket.AddWaiter({.id = id,
                      .condition = condition,
                      .readable_bytes = bytes,
                      .done = [promise](base::Result<const SocketInfo*> info) {
                        if (info.ok()) return promise->set_value(*info != nullptr);
                        promise->set_value(std::move(info).error());
                      }});
  });
  if (then != nullptr) then(stage);
  if (future.wait_for(kHang) != std::future_status::ready) {
    stage.socket().Run([id](Socket& socket) { socket.RemoveWaiter(id); });
    return {.timed_out = true};
  }
  auto held = future.get();
  if (!held.ok()) return {.error = std::move(held).error()};
  return {.value = *held ? "it holds" : "it was closed"};
}

void OneByteComes(Stage& stage) {
  const SocketAddress local = testing::AddressOf(stage.socket().fd());
  const bool connected = stage.flavour().HasConnections();
  EXPECT_EQ(::sendto(stage.scene.other(), "x", 1, MSG_NOSIGNAL, connected ? nullptr : local.data(),
                     connected ? 0 : local.size()),
            1);
}
void OneByteIsThere(Stage& stage) {
  OneByteComes(stage);
  testing::WaitFor(stage.socket().fd(), POLLIN);
}
// From then on nothing is announced that has been already.
void Watched(Stage& stage) { EXPECT_TRUE(AwaitNow(stage, Condition::kWritable, 0).value == "it holds"); }
void OneByteIsThereWatched(Stage& stage) {
  OneByteIsThere(stage);
  Watched(stage);
}
void ClientIsThere(Stage& stage) {
  stage.held.push_back(testing::Plain(stage.flavour()));
  const SocketAddress local = testing::AddressOf(stage.socket().fd());
  EXPECT_EQ(::connect(stage.held.back().get(), local.data(), local.size()), 0);
}
void ReadIsShut(Stage& stage) { EXPECT_TRUE(stage.socket().Shutdown(SHUT_RD).Get().ok()); }

template <Condition kCondition, uint32_t kLeast = 0>
Outcome RunAwait(Stage& stage) {
  return AwaitNow(stage, kCondition, kLeast);
}
template <uint32_t kLeast>
Outcome RunAwaitByte(Stage& stage) {
  return AwaitNow(stage, Condition::kReadable, kLeast, OneByteComes);
}

}  // namespace

std::vector<Scenario> AwaitScenarios() {
  const auto await = [](const char* how, void (*prepare)(Stage&), Outcome (*run)(Stage&)) {
    return Scenario{.operation = "await",
                    .how = how,
                    .applies = Every,
                    .situation = Situation::kConnected,
                    .named = true,
                    .prepare = prepare,
                    .run = run};
  };
  std::vector<Scenario> all = {
      await("READABLE", OneByteIsThere, RunAwait<Condition::kReadable>),
      await("READABLE, watched", OneByteIsThereWatched, RunAwait<Condition::kReadable>),
      await("READABLE, a byte", OneByteIsThere, RunAwait<Condition::kReadable, 1>),
      await("READABLE, a byte, watched", OneByteIsThereWatched, RunAwait<Condition::kReadable, 1>),
      await("READABLE, later", Watched, RunAwaitByte<0>),
      await("READABLE, a byte, later", Watched, RunAwaitByte<1>),
      await("WRITABLE", nullptr, RunAwait<Condition::kWritable>),
      await("WRITABLE, watched", Watched, RunAwait<Condition::kWritable>),
  };
  all.push_back({.operation = "await",
                 .how = "READABLE, a client",
                 .applies = HasConnections,
                 .situation = Situation::kListening,
                 .prepare = ClientIsThere,
                 .run = RunAwait<Condition::kReadable>});
  all.push_back({.operation = "await",
                 .how = "PEER_CLOSED",
                 .applies = HasConnections,
                 .situation = Situation::kPeerClosed,
                 .run = RunAwait<Condition::kPeerClosed>});
  all.push_back({.operation = "await",
                 .how = "PEER_CLOSED, read shut",
                 .applies = IsTcp,
                 .situation = Situation::kPeerClosed,
                 .prepare = ReadIsShut,
                 .run = RunAwait<Condition::kPeerClosed>});
  return all;
}

}  // namespace socketeer::net::faults
