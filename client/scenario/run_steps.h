// Carries out the steps of one run.
#pragma once

#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "client/scenario/run_hosts.h"

namespace socketeer::scenario {

// Events of steps, from several branches at once. Thread-safe.
class EventLog {
 public:
  struct Entry {
    report::Event event{};
    std::optional<absl::Time> host_time{};  // as the host told it
  };

  void Add(Entry entry);
  void Add(std::vector<Entry> entries);
  std::vector<Entry> Take();

 private:
  std::mutex mutex_;
  std::vector<Entry> entries_;
};

// Where steps run: what changes with the parallel groups, loops and tries that they stand in.
struct StepContext {
  Variables* variables;
  Halt* halt;
  EventLog* log;
  absl::Time deadline;   // by the run's clock
  std::string limit{};   // whose deadline that is: "the scenario's limit of 1m"
  std::string branch{};  // "server/reader"
  int attempt = 1;
};

// Thread-safe: branches run on threads of their own.
class StepRunner {
 public:
  // All outlive it. `cleanup`: what the events say.
  StepRunner(const Scenario& scenario, const RunHosts& hosts, const SocketNames& names, const RunOptions& options,
             bool cleanup)
      : scenario_(scenario), hosts_(hosts), names_(names), options_(options), cleanup_(cleanup) {}

  // In their order, until one fails.
  std::optional<Failure> RunAll(const Steps& steps, const StepContext& context) const;
  std::optional<Failure> RunOne(const Step& step, const StepContext& context) const;

 private:
  std::optional<Failure> RunLeaf(const Step& step, const StepContext& context) const;
  Outcome Act(const Step& step, const StepContext& context) const;
  Outcome ActProgram(const Program& program, const StepContext& context) const;
  Outcome ActProbe(const Step& step, const Probe& probe, const StepContext& context) const;
  CallOptions Calls(const StepContext& context) const;
  // How the step ended, beside what it did: expectations, captures, limits.
  absl::Status Judge(const Step& step, const Outcome& outcome, const StepContext& context) const;

  std::optional<Failure> RunParallel(const Parallel& parallel, const StepContext& context) const;
  std::optional<Failure> RunLoop(const Step& step, const Loop& loop, const StepContext& context) const;
  std::optional<Failure> RunRetry(const Step& step, const Retry& retry, const StepContext& context) const;

  // What is known of a step before it runs.
  report::Event Begun(const Step& step, const StepContext& context) const;
  void Tell(EventLog::Entry entry, const StepContext& context) const;
  Failure Fails(const Step& step, report::Verdict verdict, const std::string& why, const StepContext& context) const;

  const Scenario& scenario_;
  const RunHosts& hosts_;
  const SocketNames& names_;
  const RunOptions& options_;
  const bool cleanup_;
};

// "half-close.yaml:12:5".
std::string PlaceText(const Scenario& scenario, Place at);

}  // namespace socketeer::scenario
