#include "client/scenario/suite.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <random>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/scenario/run_hosts.h"
#include "client/scenario/suite_file.h"
#include "client/scenario/suite_plan.h"
#include "socketeer/status_macros.h"
#include "socketeer/text.h"

namespace socketeer::scenario {
namespace {

using report::ScenarioResult;
using report::Verdict;

// Tells one after the other what several threads have to tell.
class Serialised : public report::Observer {
 public:
  explicit Serialised(report::Observer* observer) : observer_(observer) {}
  void OnPlan(const std::vector<ScenarioResult>& planned) override {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (observer_ != nullptr) observer_->OnPlan(planned);
  }
  void OnStart(size_t index) override {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (observer_ != nullptr) observer_->OnStart(index);
  }
  void OnStep(size_t index, const report::Event& event) override {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (observer_ != nullptr) observer_->OnStep(index, event);
  }
  void OnEnd(size_t index, const ScenarioResult& result) override {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (observer_ != nullptr) observer_->OnEnd(index, result);
  }

 private:
  std::mutex mutex_;
  report::Observer* const observer_;
};

}  // namespace

absl::StatusOr<Suite> Suite::Read(SuiteOptions options, std::vector<absl::Status>* mistakes) {
  Suite suite(std::move(options));
  for (const std::string& file : suite.options_.files) {
    absl::StatusOr<Scenario> scenario = ReadScenarioFile(file, suite.options_.variables);
    if (scenario.ok()) {
      suite.scenarios_.push_back(*std::move(scenario));
    } else {
      mistakes->push_back(scenario.status());
    }
  }
  if (mistakes->empty()) suite.CheckSet(mistakes);
  if (!mistakes->empty()) return mistakes->front();
  size_t runs = 0;
  for (const Scenario& scenario : suite.scenarios_) {
    size_t combinations = 1;
    for (const auto& [name, values] : scenario.matrix) combinations *= values.size();
    runs += combinations * static_cast<size_t>(suite.options_.repetitions);
  }
  if (runs > kMaxRuns) {
    mistakes->push_back(
        absl::InvalidArgumentError(absl::StrCat(runs, " runs are planned; at most ", kMaxRuns, " are allowed")));
    return mistakes->front();
  }
  for (size_t i = 0; i < suite.scenarios_.size(); ++i) suite.Plan(i);
  const bool any = std::any_of(suite.plan_.begin(), suite.plan_.end(),
                               [](const ScenarioResult& each) { return each.verdict != Verdict::kSkipped; });
  if (any) return suite;
  mistakes->push_back(absl::InvalidArgumentError("--tag: no scenario is left to run"));
  return mistakes->front();
}

void Suite::CheckSet(std::vector<absl::Status>* mistakes) const {
  for (const auto& [name, value] : options_.variables) {
    const bool known = std::any_of(scenarios_.begin(), scenarios_.end(), [&name = name](const Scenario& scenario) {
      return std::any_of(scenario.variables.begin(), scenario.variables.end(),
                         [&name](const auto& variable) { return variable.first == name; });
    });
    if (!known) mistakes->push_back(absl::InvalidArgumentError("--set: no scenario has a variable " + Quoted(name)));
  }
}

void Suite::Plan(size_t scenario) {
  const Scenario& each = scenarios_[scenario];
  const std::string excluded = WhyExcluded(each.tags, options_.tags);
  for (const Parameters& parameters : Combinations(each.matrix, options_.variables)) {
    for (int repetition = 1; repetition <= options_.repetitions; ++repetition) {
      plan_.push_back({.name = each.name,
                       .file = each.file,
                       .tags = each.tags,
                       .parameters = parameters,
                       .repetition = repetition,
                       .verdict = excluded.empty() ? Verdict::kPassed : Verdict::kSkipped,
                       .message = excluded});
      scenario_of_.push_back(scenario);
    }
  }
}

std::vector<size_t> Suite::Order() const {
  std::vector<size_t> order;
  for (size_t i = 0; i < plan_.size(); ++i) {
    if (plan_[i].verdict != Verdict::kSkipped) order.push_back(i);
  }
  if (options_.shuffle.has_value()) Shuffle(*options_.shuffle, &order);
  return order;
}

ScenarioResult Suite::RunOne(size_t index, const RunOptions& options, report::Observer& observer) const {
  ScenarioResult result = plan_[index];
  const std::optional<Halt::Reason> halted = options.halt == nullptr ? std::nullopt : options.halt->reason();
  if (halted.has_value()) {
    result.verdict = Verdict::kSkipped;
    result.message = "not begun: " + halted->text;
    observer.OnEnd(index, result);
    return result;
  }
  RunOptions own = options;
  own.variables = options_.variables;
  for (const auto& [name, value] : result.parameters) own.variables.insert_or_assign(name, value);
  own.on_step = [&observer, index](const report::Event& event) { observer.OnStep(index, event); };
  observer.OnStart(index);
  result = scenario::Run(scenarios_[scenario_of_[index]], own, std::move(result));
  observer.OnEnd(index, result);
  return result;
}

report::RunResult Suite::Run(RunOptions options, report::Observer* observer) const {
  Serialised told(observer);
  report::RunResult run{
      .version = options_.version, .start = options.clock.Now(), .seed = options_.shuffle, .scenarios = plan_};
  told.OnPlan(plan_);
  for (size_t i = 0; i < plan_.size(); ++i) {
    if (plan_[i].verdict == Verdict::kSkipped) told.OnEnd(i, plan_[i]);
  }
  const std::vector<size_t> order = Order();
  std::atomic<size_t> next{0};
  AtOnce(std::min(order.size(), static_cast<size_t>(options_.jobs)), [&](size_t) {
    for (size_t turn = next++; turn < order.size(); turn = next++) {
      run.scenarios[order[turn]] = RunOne(order[turn], options, told);
    }
  });
  run.end = options.clock.Now();
  return run;
}

}  // namespace socketeer::scenario
