#include "client/scenario/run_steps.h"

#include <algorithm>
#include <utility>

#include "client/scenario/run_program.h"
#include "client/scenario/verb.h"
#include "client/scenario/verdict.h"
#include "socketeer/error.h"
#include "socketeer/status_macros.h"
#include "socketeer/text.h"

namespace socketeer::scenario {
namespace {

using report::Verdict;

// How much longer than a step's limit, which the daemon keeps, its answer may travel.
constexpr absl::Duration kTravel = absl::Seconds(1);

template <typename... Ts>
struct Overloaded : Ts... {
  using Ts::operator()...;
};
template <typename... Ts>
Overloaded(Ts...) -> Overloaded<Ts...>;

absl::StatusOr<std::string> Word(const Value& value, const Variables& variables) {
  if (value.type == Value::Type::kNothing) return std::string();
  if (value.type != Value::Type::kWord) return absl::InvalidArgumentError("a word is wanted here");
  return variables.Fill(value.text);
}

// The same for people, as it is written if it cannot be filled in.
constexpr size_t kMostShown = 200;  // bytes of what a file or a program says, in a line for people

std::string Shown(const Value& value, const Variables& variables) {
  return Printable(Word(value, variables).value_or(value.text), kMostShown);
}

std::string VerbOf(const Step& step) {
  return std::visit(
      Overloaded{[](const Call& call) { return std::string(call.verb->word); },
                 [](const Program&) { return std::string("run"); }, [](const Probe&) { return std::string("probe"); },
                 [](const Parallel&) { return std::string("parallel"); },
                 [](const Loop&) { return std::string("for-each"); },
                 [](const Retry&) { return std::string("retry"); }},
      step.action);
}

std::string TitleOf(const Step& step, const Variables& variables) {
  if (!step.name.empty()) return variables.Fill(step.name).value_or(step.name);
  if (const auto* const call = std::get_if<Call>(&step.action)) return Describe(*call, variables);
  std::string title = VerbOf(step);
  if (const auto* const program = std::get_if<Program>(&step.action)) {
    for (const Value& each : program->command) title += " " + Shown(each, variables);
  } else if (const auto* const probe = std::get_if<Probe>(&step.action)) {
    title += " " + Shown(probe->to, variables);
  }
  return title;
}

bool Speaks(const Step& step, std::string_view path) {
  return std::any_of(step.expectations.begin(), step.expectations.end(),
                     [&](const Expectation& each) { return each.path == path; });
}

Outcome Failed(absl::Status status) {
  Outcome outcome;
  outcome.status = std::move(status);
  return outcome;
}

// A program that fails, fails the step, unless the file says what its status must be.
absl::Status ProgramStatus(const Step& step, const Outcome& outcome) {
  if (Speaks(step, "status") || (Speaks(step, "signal") && outcome.answer.contains("signal"))) return absl::OkStatus();
  const auto status = outcome.answer.find("status");
  if (status != outcome.answer.end() && *status == 0) return absl::OkStatus();
  std::string why = status == outcome.answer.end() ? "ended by " + outcome.answer.value("signal", "a signal")
                                                   : "ended with status " + std::to_string(status->get<int>());
  const std::string errors = outcome.answer.value("stderr", "");
  if (!errors.empty()) why += ": " + Printable(errors.substr(0, errors.find('\n')), kMostShown);
  return absl::AbortedError(why);
}

bool IsTimedOut(const Outcome& outcome) {
  const auto found = outcome.answer.find("timed_out");
  return found != outcome.answer.end() && *found == true;
}

}  // namespace

void EventLog::Add(Entry entry) {
  const std::lock_guard<std::mutex> lock(mutex_);
  entries_.push_back(std::move(entry));
}

void EventLog::Add(std::vector<Entry> entries) {
  const std::lock_guard<std::mutex> lock(mutex_);
  std::move(entries.begin(), entries.end(), std::back_inserter(entries_));
}

std::vector<EventLog::Entry> EventLog::Take() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return std::exchange(entries_, {});
}

std::string PlaceText(const Scenario& scenario, Place at) {
  if (at.line == 0) return scenario.file;
  return scenario.file + ":" + std::to_string(at.line) + ":" + std::to_string(at.column);
}

std::optional<Failure> StepRunner::RunAll(const Steps& steps, const StepContext& context) const {
  for (const Step& step : steps) {
    if (std::optional<Failure> failure = RunOne(step, context)) return failure;
  }
  return std::nullopt;
}

Failure StepRunner::Fails(const Step& step, Verdict verdict, const std::string& why, const StepContext& context) const {
  const std::string on = step.host.empty() ? "" : step.host + ": ";
  return {.verdict = verdict,
          .message = PlaceText(scenario_, step.at) + ": " + on + TitleOf(step, *context.variables) + ": " + why,
          .host = step.host,
          .at = step.at};
}

std::optional<Failure> StepRunner::RunOne(const Step& step, const StepContext& outer) const {
  if (const auto reason = outer.halt->reason()) return Fails(step, reason->verdict, reason->text, outer);
  StepContext context = outer;
  const absl::Time now = options_.clock.Now();
  if (now >= context.deadline) {
    return Fails(step, Verdict::kTimedOut, context.limit + " was over before it began", context);
  }
  if (now + step.limit < context.deadline) {
    context.deadline = now + step.limit;
    context.limit = "its limit of " + absl::FormatDuration(step.limit);
  }
  return std::visit(Overloaded{[&](const Parallel& parallel) { return RunParallel(parallel, context); },
                               [&](const Loop& loop) { return RunLoop(step, loop, context); },
                               [&](const Retry& retry) { return RunRetry(step, retry, context); },
                               [&](const auto&) { return RunLeaf(step, context); }},
                    step.action);
}

CallOptions StepRunner::Calls(const StepContext& context) const {
  return {.timeout = std::max(context.deadline - options_.clock.Now(), absl::ZeroDuration()),
          .cancellation = context.halt->cancellation(),
          .deadline = DeadlineForCalls(options_.clock, context.deadline) + kTravel};
}

Outcome StepRunner::ActProgram(const Program& program, const StepContext& context) const {
  std::vector<std::string> command;
  for (const Value& each : program.command) {
    const absl::StatusOr<std::string> word = Word(each, *context.variables);
    if (!word.ok()) return Failed(word.status());
    command.push_back(*word);
  }
  const absl::StatusOr<std::string> input = Word(program.input, *context.variables);
  if (!input.ok()) return Failed(input.status());
  if (command.empty()) return Failed(absl::InvalidArgumentError("no program is named"));
  return RunProgram(command, *input, *context.halt, context.deadline - options_.clock.Now());
}

Outcome StepRunner::ActProbe(const Step& step, const Probe& probe, const StepContext& context) const {
  if (!options_.probe) return Failed(absl::InvalidArgumentError("probes are not to be had here"));
  return options_.probe({.probe = probe,
                         .from = hosts_.Sessions().at(step.host),
                         .hosts = hosts_.Sessions(),
                         .variables = *context.variables,
                         .names = names_},
                        Calls(context));
}

Outcome StepRunner::Act(const Step& step, const StepContext& context) const {
  if (const auto* const program = std::get_if<Program>(&step.action)) return ActProgram(*program, context);
  const auto host = hosts_.Sessions().find(step.host);
  if (host == hosts_.Sessions().end()) return Failed(absl::InvalidArgumentError("`on` names no host of this run"));
  if (const auto* const probe = std::get_if<Probe>(&step.action)) return ActProbe(step, *probe, context);
  return Perform(std::get<Call>(step.action), host->second, *context.variables, names_, Calls(context));
}

absl::Status StepRunner::Judge(const Step& step, const Outcome& outcome, const StepContext& context) const {
  if (std::holds_alternative<Program>(step.action)) {
    if (!outcome.status.ok() && Classify(outcome.status) != ErrorKind::kTimedOut) return outcome.status;
    if (outcome.status.ok()) SOCKETEER_RETURN_IF_ERROR(ProgramStatus(step, outcome));
  }
  // The end of the step's time is no answer to what was asked, even if a timeout was expected.
  const bool late = options_.clock.Now() >= context.deadline;
  if (late && (Classify(outcome.status) == ErrorKind::kTimedOut || IsTimedOut(outcome))) {
    return TimedOutError("not done within " + context.limit);
  }
  SOCKETEER_RETURN_IF_ERROR(CheckExpectations(step.expectations, outcome, *context.variables));
  if (std::holds_alternative<Probe>(step.action) && options_.clock.Now() >= context.deadline) {
    return TimedOutError("the probe's answer came too late");
  }
  return TakeCaptures(step.captures, outcome, context.variables);
}

report::Event StepRunner::Begun(const Step& step, const StepContext& context) const {
  return {.host = step.host,
          .branch = context.branch,
          .verb = VerbOf(step),
          .title = TitleOf(step, *context.variables),
          .line = step.at.line,
          .column = step.at.column,
          .attempt = context.attempt,
          .cleanup = cleanup_,
          .start = options_.clock.Now(),
          .end = absl::InfinitePast()};
}

std::optional<Failure> StepRunner::RunLeaf(const Step& step, const StepContext& context) const {
  EventLog::Entry entry{.event = Begun(step, context)};
  report::Event& event = entry.event;
  if (options_.on_step) options_.on_step(event);
  Outcome outcome = Act(step, context);
  event.end = options_.clock.Now();
  if (!std::holds_alternative<Call>(step.action)) outcome.took = event.end - event.start;
  const std::optional<Halt::Reason> halted = context.halt->reason();
  if (halted.has_value() && Classify(outcome.status) == ErrorKind::kCancelled) {
    event.verdict = halted->verdict;
    event.message = halted->text;
  } else if (const absl::Status status = Judge(step, outcome, context); !status.ok()) {
    event.verdict = VerdictOf(status);
    event.message = FormatError(status);
  }
  event.socket = outcome.socket;
  event.local = outcome.local;
  event.peer = outcome.peer;
  event.bytes_sent = outcome.bytes_sent;
  event.bytes_received = outcome.bytes_received;
  event.end_of_stream = outcome.answer.is_object() && outcome.answer.value("end_of_stream", nlohmann::json()) == true;
  event.errno_number = ErrnoOf(outcome.status);
  if (event.errno_number != 0) event.errno_name = ReasonOf(outcome.status);
  entry.host_time = outcome.host_time;
  std::optional<Failure> failure;
  if (event.verdict != Verdict::kPassed) failure = Fails(step, event.verdict, event.message, context);
  Tell(std::move(entry), context);
  return failure;
}

void StepRunner::Tell(EventLog::Entry entry, const StepContext& context) const {
  report::Event& event = entry.event;
  const std::optional<absl::Duration> offset = hosts_.FirstOffset(event.host);
  if (entry.host_time.has_value() && offset.has_value()) {
    event.at_host = AtHost(*entry.host_time, *offset, event.start, event.end);
  }
  if (options_.on_step) options_.on_step(event);
  context.log->Add(std::move(entry));
}

}  // namespace socketeer::scenario
