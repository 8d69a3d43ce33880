// The hosts of one run: a session on each, their clocks, and what is on them.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "client/scenario/run.h"
#include "socketeer/session.h"

namespace socketeer::scenario {

// Why a run, or a part of it, did not pass.
struct Failure {
  report::Verdict verdict = report::Verdict::kFailed;
  std::string message{};
  std::string host{};  // "": none
  Place at{};
};

// All hosts are asked at once, so that one that does not answer delays nobody. For one thread; Sessions() may be read
// by many once Open has returned.
class RunHosts {
 public:
  RunHosts(const Scenario& scenario, const RunOptions& options) : scenario_(scenario), options_(options) {}

  // Connects, makes the sessions and measures the clocks. The failure of the first host that has one, in the order of
  // the file; the other hosts' sessions are there nevertheless.
  std::optional<Failure> Open(const Variables& variables, Halt& halt, absl::Time deadline);
  // Each in its session, by name.
  const std::map<std::string, Host>& Sessions() const { return sessions_; }
  // How far the host's clock was ahead when the run began; nullopt: not known.
  std::optional<absl::Duration> FirstOffset(const std::string& name) const;

  // Of the hosts that answer.
  std::vector<report::SocketRow> Sockets(const SocketNames& names) const;
  // Measures again, and tells what holds for the whole run.
  std::vector<report::Clock> Clocks() const;
  // Ends the sessions; a line for each that could not be.
  std::vector<Failure> End();
  // Leaves them to their leases; a line for each.
  std::vector<std::string> Release();

 private:
  struct Member {
    std::string name{};
    std::string target{};
    std::unique_ptr<Session> session{};
    std::optional<ClockReading> clock{};
    absl::Status status{};
  };

  absl::Status OpenOne(const Value& target, const Variables& variables, const CallOptions& calls, Member* member) const;
  // Calls it for each that has a session, at once.
  void ForEach(const std::function<void(size_t index, const Member& member)>& function) const;

  const Scenario& scenario_;
  const RunOptions& options_;
  std::vector<Member> members_;
  std::map<std::string, Host> sessions_;
};

// Runs `function` for 0 to count - 1, each on a thread of its own, and waits for all.
void AtOnce(size_t count, const std::function<void(size_t index)>& function);

// A steady deadline for calls, which look at the wall clock.
absl::Time DeadlineForCalls(const RunClock& clock, absl::Time deadline);

}  // namespace socketeer::scenario
