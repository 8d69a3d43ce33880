// Runs one scenario.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "client/report/result.h"
#include "client/scenario/clock.h"
#include "client/scenario/halt.h"
#include "client/scenario/model.h"
#include "client/scenario/operation.h"
#include "socketeer/host.h"

namespace socketeer::scenario {

// Makes the Host of what stands in the file as a participant's target. Called on several threads at once.
using Connector = std::function<absl::StatusOr<Host>(const std::string& target)>;

// A probe step, with what it needs to be carried out. `hosts` are all participants, by name.
struct ProbeCall {
  const Probe& probe;
  const Host& from;
  const std::map<std::string, Host>& hosts;
  const Variables& variables;
  const SocketNames& names;
};
// Its answer has `reason`. Called on several threads at once.
using Prober = std::function<Outcome(const ProbeCall& call, const CallOptions& calls)>;

struct RunOptions {
  Connector connect{};
  Prober probe{};  // none: a probe step is refused
  RunClock clock{};
  // Ends the steps, not the cleanup. Not owned; may be null.
  Halt* halt = nullptr;
  // Of the matrix, and what was set: in place of the file's variables, literally.
  std::map<std::string, std::string> variables{};
  // The sessions of a failed run are left to their leases.
  bool keep_on_fail = false;
  // Each step when it begins, with an end before its start, and when it has ended; from several threads at once.
  std::function<void(const report::Event&)> on_step{};
  // After the first failure, before the cleanup: sessions are held until it returns.
  std::function<void(const report::ScenarioResult&)> on_failure{};
  // What people should know and is no failure: which sessions are left.
  std::function<void(const std::string&)> on_note{};
};

// Fills the rest of `planned`, which has name, file, tags, parameters and repetition. Whatever happens, each cleanup
// step is tried and every session ended, within the scenario's limit and some seconds.
report::ScenarioResult Run(const Scenario& scenario, const RunOptions& options, report::ScenarioResult planned);

}  // namespace socketeer::scenario
