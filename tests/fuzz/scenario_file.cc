// A scenario: read or refused with its place; one that was read can be run as far as it says itself what it needs.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "client/scenario/model.h"

namespace {

using namespace socketeer::scenario;  // NOLINT: a target of one function

void Whole(const Scenario& scenario, const Steps& steps);

// What the runner takes for granted of an action.
struct Action {
  const Scenario& scenario;

  void operator()(const Call& call) const {
    if (call.verb == nullptr) std::abort();
  }
  void operator()(const Program& program) const {
    if (program.command.empty()) std::abort();
  }
  void operator()(const Probe& probe) const {
    if (probe.to.type != Value::Type::kWord) std::abort();
  }
  void operator()(const Parallel& parallel) const {
    if (parallel.branches.empty()) std::abort();
    for (const Branch& branch : parallel.branches) Whole(scenario, branch.steps);
  }
  void operator()(const Loop& loop) const {
    if (loop.over.empty()) std::abort();
    for (const auto& [name, values] : loop.over) {
      if (name.empty() || values.empty()) std::abort();
    }
    Whole(scenario, loop.steps);
  }
  void operator()(const Retry& retry) const {
    if (retry.successes < 1 || retry.pause < absl::ZeroDuration()) std::abort();
    Whole(scenario, retry.steps);
  }
};

void Whole(const Scenario& scenario, const Steps& steps) {
  if (steps.empty()) std::abort();
  for (const Step& step : steps) {
    if (step.at.line < 1 || step.limit <= absl::ZeroDuration()) std::abort();
    const bool known = std::ranges::any_of(scenario.hosts, [&](const auto& host) { return host.name == step.host; });
    if (!step.host.empty() && !known) std::abort();
    std::visit(Action{scenario}, step.action);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto scenario = ReadScenario(text, "f/s");
  if (!scenario.ok()) {
    if (!std::string(scenario.status().message()).starts_with("f/s:")) std::abort();
    return 0;
  }
  if (scenario->name.empty() || scenario->limit <= absl::ZeroDuration() || scenario->lease <= absl::ZeroDuration()) {
    std::abort();
  }
  Whole(*scenario, scenario->steps);
  if (!scenario->cleanup.empty()) Whole(*scenario, scenario->cleanup);
  return 0;
}
