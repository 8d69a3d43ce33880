#include "client/scenario/run.h"

#include <algorithm>
#include <random>
#include <utility>

#include "client/scenario/run_hosts.h"
#include "client/scenario/run_steps.h"

namespace socketeer::scenario {
namespace {

using report::ScenarioResult;
using report::Verdict;

constexpr int kSuffixLength = 6;

std::string RandomSuffix() {
  constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyz0123456789";
  std::random_device random;
  std::uniform_int_distribution<size_t> letter(0, kLetters.size() - 1);
  std::string suffix;
  for (int i = 0; i < kSuffixLength; ++i) suffix += kLetters[letter(random)];
  return suffix;
}

// One run, from its variables to the end of its sessions.
class Runner {
 public:
  Runner(const Scenario& scenario, const RunOptions& options, ScenarioResult planned)
      : scenario_(scenario), options_(options), hosts_(scenario, options), result_(std::move(planned)) {}

  ScenarioResult Run();

 private:
  absl::Status SetVariables();
  std::optional<Failure> Steps();
  std::optional<Failure> Prepare();
  void Cleanup();
  void Leave();
  void Fail(const Failure& failure);
  void FailAfterwards(const Failure& failure);
  void Finish();

  const Scenario& scenario_;
  const RunOptions& options_;
  const SocketNames names_{RandomSuffix()};
  Variables variables_;
  RunHosts hosts_;
  EventLog log_;
  ScenarioResult result_;
  absl::Time deadline_;
};

absl::Status Runner::SetVariables() {
  for (const auto& [name, value] : options_.variables) variables_.Set(name, value);
  variables_.Set("run", names_.suffix());
  for (const auto& [name, value] : scenario_.variables) {
    if (options_.variables.contains(name)) continue;
    const absl::StatusOr<std::string> filled = variables_.Fill(value.text);
    if (!filled.ok()) {
      return absl::InvalidArgumentError(PlaceText(scenario_, value.at) + ": " + std::string(filled.status().message()));
    }
    variables_.Set(name, *filled);
  }
  for (const auto& [name, values] : scenario_.matrix) {
    const auto turn = options_.variables.find(name);  // as the file has it
    if (turn == options_.variables.end()) continue;
    const absl::StatusOr<std::string> filled = variables_.Fill(turn->second);
    if (!filled.ok()) {
      return absl::InvalidArgumentError(PlaceText(scenario_, values[0].at) + ": " +
                                        std::string(filled.status().message()));
    }
    variables_.Set(name, *filled);
  }
  return absl::OkStatus();
}

std::optional<Failure> Runner::Prepare() {
  if (const absl::Status status = SetVariables(); !status.ok()) {
    return Failure{.verdict = Verdict::kUsage, .message = std::string(status.message())};
  }
  Halt halt(options_.halt);
  std::optional<Failure> failure = hosts_.Open(variables_, halt, deadline_);
  if (failure.has_value()) {
    failure->message = PlaceText(scenario_, failure->at) + ": " + (failure->host.empty() ? "" : failure->host + ": ") +
                       failure->message;
  }
  return failure;
}

std::optional<Failure> Runner::Steps() {
  if (std::optional<Failure> failure = Prepare()) return failure;
  Halt halt(options_.halt);
  const StepRunner runner(scenario_, hosts_, names_, options_, false);
  return runner.RunAll(scenario_.steps, {.variables = &variables_,
                                         .halt = &halt,
                                         .log = &log_,
                                         .deadline = deadline_,
                                         .limit = "the scenario's limit of " + absl::FormatDuration(scenario_.limit)});
}

void Runner::Fail(const Failure& failure) {
  result_.verdict = failure.verdict;
  result_.message = failure.message;
  result_.host = failure.host;
}

void Runner::FailAfterwards(const Failure& failure) {
  result_.cleanup_failures.push_back(failure.message);
  if (result_.verdict == Verdict::kPassed) Fail(failure);
}

void Runner::Cleanup() {
  // Neither a signal nor the steps' limit ends it; its own limit does.
  Halt halt;
  const StepRunner runner(scenario_, hosts_, names_, options_, true);
  const StepContext context{.variables = &variables_,
                            .halt = &halt,
                            .log = &log_,
                            .deadline = options_.clock.Now() + scenario_.limit,
                            .limit = "the cleanup's limit of " + absl::FormatDuration(scenario_.limit)};
  for (const Step& step : scenario_.cleanup) {
    if (const std::optional<Failure> failure = runner.RunOne(step, context)) FailAfterwards(*failure);
  }
}

void Runner::Leave() {
  if (result_.verdict != Verdict::kPassed && options_.keep_on_fail) {
    for (const std::string& line : hosts_.Release()) {
      if (options_.on_note) options_.on_note(line);
    }
    return;
  }
  for (const Failure& failure : hosts_.End()) FailAfterwards(failure);
}

void Runner::Finish() {
  result_.clocks = hosts_.Clocks();
  for (EventLog::Entry& entry : log_.Take()) {
    report::Event& event = entry.event;
    event.at_host.reset();
    for (const report::Clock& clock : result_.clocks) {
      if (clock.host != event.host || !clock.known || !entry.host_time.has_value()) continue;
      event.at_host = AtHost(*entry.host_time, clock.offset, event.start, event.end);
    }
    result_.events.push_back(std::move(event));
  }
  std::stable_sort(result_.events.begin(), result_.events.end(),
                   [](const report::Event& a, const report::Event& b) { return a.start < b.start; });
}

ScenarioResult Runner::Run() {
  result_.verdict = Verdict::kPassed;
  result_.message.clear();
  result_.start = options_.clock.Now();
  for (const Participant& each : scenario_.hosts) result_.hosts.push_back(each.name);
  deadline_ = result_.start + scenario_.limit;
  if (const std::optional<Failure> failure = Steps()) {
    Fail(*failure);
    result_.sockets = hosts_.Sockets(names_);
    if (options_.on_failure) options_.on_failure(result_);
  }
  Cleanup();
  Finish();
  Leave();
  result_.end = options_.clock.Now();
  return std::move(result_);
}

}  // namespace

ScenarioResult Run(const Scenario& scenario, const RunOptions& options, ScenarioResult planned) {
  return Runner(scenario, options, std::move(planned)).Run();
}

}  // namespace socketeer::scenario
