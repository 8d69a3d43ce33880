// Runs an operation again and again, each time with one of its system calls failing with one errno, and judges what
// comes of it: the error or, where a failure is tolerated by design, the normal result; and what the socket is then.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "tests/net/situations.h"
#include "tests/support/nth_call_fails.h"

namespace socketeer::net::faults {

using ::socketeer::testing::CallMade;
using ::socketeer::testing::NthCallFails;
using testing::Flavour;
using testing::Rig;
using testing::Scene;
using testing::TestSocket;

// A call that has not ended by then never will.
inline constexpr std::chrono::seconds kHang{5};

// What an operation came to.
struct Outcome {
  std::optional<base::Error> error{};
  bool timed_out = false;
  std::string value{};  // of a success: all that must not depend on luck

  std::string ToString() const;
};

inline std::string InState(TestSocket& socket) {
  return "in state " + std::to_string(static_cast<int>(socket.info().state));
}

template <typename T>
Outcome OutcomeOf(base::Result<T> result, std::string value = "") {
  if (!result.ok()) return {.error = std::move(result).error()};
  return {.value = std::move(value)};
}

// Where one run takes place: new for each.
struct Stage {
  Rig& rig;
  NthCallFails& kernel;
  Scene scene;
  std::chrono::nanoseconds patience;  // the timeout of what may wait
  std::vector<TestSocket> made{};     // by the run
  std::vector<base::Fd> held{};       // by the test
  std::vector<SocketAddress> addresses{};
  std::vector<std::function<Outcome()>> pending{};  // calls that wait

  TestSocket& socket() { return scene.socket(); }
  const Flavour& flavour() const { return scene.flavour(); }
};

struct Scenario {
  const char* operation;  // as errors name it: "send"
  const char* how;        // "WHOLE, three calls"
  bool (*applies)(const Flavour&);
  Situation situation = Situation::kCreated;
  bool named = false;
  void (*prepare)(Stage&) = nullptr;
  Outcome (*run)(Stage&);
  // What else must hold afterwards; nothing fails any more. `failed` is null when nothing did.
  void (*verify)(Stage&, const Outcome&, const CallMade* failed) = nullptr;
  bool waits = false;      // EAGAIN and its kin make it wait
  bool repeatable = true;  // after an error the same call comes to its normal result
  size_t most_bytes = 0;   // of one system call on a stream; 0: as the kernel likes
};

std::vector<Scenario> OpenScenarios();
std::vector<Scenario> ConnectionScenarios();
std::vector<Scenario> StreamScenarios();
std::vector<Scenario> DatagramScenarios();
std::vector<Scenario> AwaitScenarios();
std::vector<Scenario> AttachScenarios();

// The rules.
inline bool Every(const Flavour&) { return true; }
inline bool IsTcp(const Flavour& flavour) { return flavour.kind().IsTcp(); }
inline bool HasConnections(const Flavour& flavour) { return flavour.HasConnections(); }
inline bool IsStream(const Flavour& flavour) { return flavour.type == SOCK_STREAM; }
inline bool HasRecords(const Flavour& flavour) { return flavour.type != SOCK_STREAM; }
inline bool IsDgram(const Flavour& flavour) { return !flavour.HasConnections(); }
inline bool IsInet6(const Flavour& flavour) { return flavour.family == AF_INET6; }
inline bool CanDisconnect(const Flavour& flavour) { return !flavour.IsUnix() || IsDgram(flavour); }

// Why the failure of a call is not an error of the operation; null: it is one.
const char* WhyTolerated(const Flavour& flavour, const Scenario& scenario, const CallMade& failed);

// What is different between what a socket says of itself and what the kernel says; empty: nothing.
std::string Disagreement(TestSocket& socket);

size_t DescriptorCount();

// All scenarios that apply come to the same while every second epoll_wait(2) is interrupted.
void RunInterrupted(const Flavour& flavour, const std::vector<Scenario>& scenarios);

// Of all scenarios that apply; returns how many failures it injected.
size_t RunSweep(const Flavour& flavour, const std::vector<Scenario>& scenarios);

}  // namespace socketeer::net::faults
