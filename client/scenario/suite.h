// Many scenarios, each with every combination of its matrix, as often as asked.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "client/scenario/run.h"

namespace socketeer::scenario {

// Of all files, combinations and repetitions: all their events are kept until the reports are written.
inline constexpr size_t kMaxRuns = 100'000;

struct SuiteOptions {
  std::vector<std::string> files{};
  std::map<std::string, std::string> variables{};  // in place of those of the files
  // "tcp": only scenarios that have one of these; "!slow": none that has this.
  std::vector<std::string> tags{};
  int repetitions = 1;
  int jobs = 1;                       // how many run at the same time
  std::optional<uint64_t> shuffle{};  // the seed of the order in which they begin
  std::string version{};
};

// Reads all, plans, and runs. Run needs it for itself.
class Suite {
 public:
  // Reads every file, whatever is wrong with those before. OK: nothing is; else all that is wrong, of each file the
  // first mistake.
  static absl::StatusOr<Suite> Read(SuiteOptions options, std::vector<absl::Status>* mistakes);

  // In the order of RunResult::scenarios. What a tag excludes is kSkipped; all others will run.
  const std::vector<report::ScenarioResult>& plan() const { return plan_; }
  // The order in which they begin, as indices of the plan.
  std::vector<size_t> Order() const;
  // Halt and callbacks of `options` count for each; `observer` may be null. What the halt keeps from beginning is
  // kSkipped.
  report::RunResult Run(RunOptions options, report::Observer* observer) const;

 private:
  explicit Suite(SuiteOptions options) : options_(std::move(options)) {}
  // Of each variable that is set, that some scenario has it.
  void CheckSet(std::vector<absl::Status>* mistakes) const;
  void Plan(size_t scenario);
  report::ScenarioResult RunOne(size_t index, const RunOptions& options, report::Observer& observer) const;

  SuiteOptions options_;
  std::vector<Scenario> scenarios_;
  std::vector<report::ScenarioResult> plan_;
  std::vector<size_t> scenario_of_;  // of each in plan_
};

}  // namespace socketeer::scenario
