// Steps that have steps: parallel, for-each, retry.
#include <algorithm>
#include <utility>

#include "client/scenario/run_steps.h"

namespace socketeer::scenario {
namespace {

using report::Verdict;

// Of a retry's tries, whose events are kept.
constexpr size_t kFirstTries = 10;
constexpr size_t kLastTries = 10;

}  // namespace

std::optional<Failure> StepRunner::RunParallel(const Parallel& parallel, const StepContext& context) const {
  Halt group(context.halt);
  std::mutex mutex;
  std::optional<Failure> first;
  AtOnce(parallel.branches.size(), [&](size_t i) {
    const Branch& branch = parallel.branches[i];
    StepContext inner = context;
    inner.halt = &group;
    inner.branch += (inner.branch.empty() ? "" : "/") + branch.name;
    std::optional<Failure> failure = RunAll(branch.steps, inner);
    if (!failure.has_value()) return;
    const std::lock_guard<std::mutex> lock(mutex);
    if (first.has_value()) return;
    first = std::move(failure);
    group.Stop({.verdict = Verdict::kSkipped, .text = "cancelled, because the branch " + branch.name + " failed"});
  });
  return first;
}

std::optional<Failure> StepRunner::RunLoop(const Step& step, const Loop& loop, const StepContext& context) const {
  size_t turns = 1;
  for (const auto& [name, values] : loop.over) turns *= values.size();
  for (size_t turn = 0; turn < turns; ++turn) {
    Variables variables(context.variables);
    StepContext inner = context;
    inner.variables = &variables;
    size_t rest = turn;
    for (auto each = loop.over.rbegin(); each != loop.over.rend(); ++each) {  // the last one turns fastest
      const auto& [name, values] = *each;
      const absl::StatusOr<std::string> value = context.variables->Fill(values[rest % values.size()].text);
      if (!value.ok()) return Fails(step, Verdict::kUsage, std::string(value.status().message()), context);
      variables.Set(name, *value);
      rest /= values.size();
    }
    if (std::optional<Failure> failure = RunAll(loop.steps, inner)) return failure;
  }
  return std::nullopt;
}

std::optional<Failure> StepRunner::RunRetry(const Step& step, const Retry& retry, const StepContext& context) const {
  const absl::Time start = options_.clock.Now();
  std::deque<std::vector<EventLog::Entry>> kept;
  std::optional<Failure> last;
  std::optional<Failure> end;
  int row = 0;
  for (int attempt = 1; row < retry.successes && !end.has_value(); ++attempt) {
    EventLog log;
    StepContext inner = context;
    inner.log = &log;
    inner.attempt = attempt;
    std::optional<Failure> failure = RunAll(retry.steps, inner);
    kept.push_back(log.Take());
    if (kept.size() > kFirstTries + kLastTries) kept.erase(kept.begin() + kFirstTries);
    row = failure.has_value() ? 0 : row + 1;
    const bool late = options_.clock.Now() >= context.deadline;
    const bool hopeless = failure.has_value() && failure->verdict == Verdict::kUsage;
    // What the end of the time cut off, says less than why it did not pass before.
    if (failure.has_value() && (!late || !last.has_value())) last = failure;
    if (context.halt->reason().has_value() || hopeless) {
      end = failure;
    } else if (late && row < retry.successes) {
      const Verdict verdict =
          last.has_value() && last->verdict == Verdict::kUnreachable ? Verdict::kUnreachable : Verdict::kTimedOut;
      end =
          Fails(step, verdict,
                "not passed " + std::to_string(retry.successes) + " times in a row within " + context.limit + ", in " +
                    std::to_string(attempt) + " tries" + (last.has_value() ? "; the last: " + last->message : ""),
                context);
      if (last.has_value()) end->host = last->host;
      EventLog::Entry entry{.event = Begun(step, context)};
      entry.event.start = start;
      entry.event.end = options_.clock.Now();
      entry.event.verdict = verdict;
      entry.event.message = end->message;
      Tell(std::move(entry), context);
    } else if (row < retry.successes) {
      // Not beyond the limit; a halt is seen at the next step.
      context.halt->cancellation()->AwaitCancel(
          std::clamp(context.deadline - options_.clock.Now(), absl::ZeroDuration(), retry.pause));
    }
  }
  for (std::vector<EventLog::Entry>& entries : kept) context.log->Add(std::move(entries));
  return end;
}

}  // namespace socketeer::scenario
