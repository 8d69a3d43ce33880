// run: scenarios.
#include <unistd.h>

#include <cstdlib>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_split.h"
#include "client/cli/arguments.h"
#include "client/cli/interrupt.h"
#include "client/cli/run_halt.h"
#include "client/cli/run_probe.h"
#include "client/cli/stdio.h"
#include "client/cli/verbs.h"
#include "client/report/live.h"
#include "client/report/summary.h"
#include "client/report/write.h"
#include "client/scenario/schema.h"
#include "client/scenario/suite.h"
#include "socketeer/status_macros.h"
#include "socketeer/text.h"

namespace socketeer::cli {
namespace {

constexpr uint32_t kMaxRepetitions = 1'000'000;
constexpr uint32_t kMaxJobs = 64;

struct RunArguments {
  std::vector<std::string> files;
  std::vector<std::string> set;
  std::vector<std::string> tags;
  std::optional<std::string> repeat;
  std::optional<std::string> jobs;
  report::ReportFiles reports;
  std::string shuffle;  // a seed, or "random"; "": none
  bool schema = false;
  bool dry_run = false;
  bool keep_on_fail = false;
  bool pause_on_fail = false;
};

constexpr char kRunFooter[] =
    R"(A scenario is a file that says what several hosts do with sockets, in what order, and what must be
seen: docs/scenarios.md. All files are read first; with a mistake in one, nothing runs. Each run has a
session on each host, and its end closes every socket. Ctrl-C ends the steps, not the cleanup; once
more, and the program ends at once: the sessions' leases do the rest.
The exit code is the gravest of all runs.

Examples:
  socketeer run half-close.yaml
  socketeer run --tag tcp --tag '!slow' --jobs 4 tests/*.yaml
  socketeer run --repeat 100 --shuffle=7 race.yaml
  socketeer run --set server=build-3 --dry-run tests/*.yaml)";

int ExitCodeOf(report::Verdict verdict) {
  switch (verdict) {
    case report::Verdict::kPassed:
    case report::Verdict::kSkipped:
      return kExitOk;
    case report::Verdict::kUsage:
      return kExitUsage;
    case report::Verdict::kUnreachable:
      return kExitUnreachable;
    case report::Verdict::kFailed:
      return kExitFailed;
    case report::Verdict::kUnexpected:
      return kExitUnexpected;
    case report::Verdict::kDenied:
      return kExitDenied;
    case report::Verdict::kTimedOut:
      return kExitTimedOut;
    case report::Verdict::kInterrupted:
      return InterruptSignal() == 0 ? kExitFailed : kExitSignal + InterruptSignal();
  }
  return kExitFailed;
}

absl::StatusOr<uint64_t> ParseSeed(const std::string& text) {
  if (text == "random") return std::random_device{}();
  size_t end = 0;
  const bool digits = !text.empty() && text.find_first_not_of("0123456789") == std::string::npos && text.size() < 20;
  const uint64_t seed = digits ? std::stoull(text, &end) : 0;
  if (digits) return seed;
  return UsageError("--shuffle: " + Quoted(text) + " is no number of at most 19 digits");
}

absl::StatusOr<std::map<std::string, std::string>> ParseSet(const std::vector<std::string>& values) {
  std::map<std::string, std::string> set;
  for (const std::string& value : values) {
    const size_t equals = value.find('=');
    if (equals == std::string::npos || equals == 0) return UsageError("--set: " + Quoted(value) + " is not NAME=VALUE");
    if (!set.emplace(value.substr(0, equals), value.substr(equals + 1)).second) {
      return UsageError("--set: " + Quoted(value.substr(0, equals)) + " is set twice");
    }
  }
  return set;
}

absl::StatusOr<scenario::SuiteOptions> ParseSuite(const RunArguments& arguments) {
  scenario::SuiteOptions options{.files = arguments.files, .tags = arguments.tags, .version = SOCKETEER_VERSION};
  SOCKETEER_ASSIGN_OR_RETURN(options.variables, ParseSet(arguments.set));
  if (arguments.repeat.has_value()) {
    SOCKETEER_ASSIGN_OR_RETURN(options.repetitions, ParseCount("--repeat", *arguments.repeat, 1, kMaxRepetitions));
  }
  if (arguments.jobs.has_value()) {
    SOCKETEER_ASSIGN_OR_RETURN(options.jobs, ParseCount("--jobs", *arguments.jobs, 1, kMaxJobs));
  }
  if (!arguments.shuffle.empty()) {
    SOCKETEER_ASSIGN_OR_RETURN(options.shuffle, ParseSeed(arguments.shuffle));
  }
  return options;
}

absl::Status PrintPlan(const Cli& cli, const scenario::Suite& suite) {
  std::vector<std::vector<std::string>> rows;
  for (const size_t index : suite.Order()) {
    rows.push_back({Printable(report::FullName(suite.plan()[index])), Printable(suite.plan()[index].file)});
  }
  return cli.out().Bytes(FormatTable(rows));
}

// On standard error, as everything that is told while it runs: standard output is for reports.
void Narrate(const report::RunResult& run) {
  std::string text;
  for (const report::ScenarioResult& each : run.scenarios) {
    if (!report::IsFailure(each.verdict)) continue;
    text += "\n" + Printable(report::FullName(each)) + "\n";
    for (const std::string& line : report::FailureLines(each)) {
      for (const std::string& part : std::vector<std::string>(absl::StrSplit(line, '\n')))
        text += "  " + Printable(part) + "\n";
    }
  }
  text += (text.empty() ? "" : "\n") + report::SummaryLine(run) + "\n";
  WriteAll(STDERR_FILENO, text).IgnoreError();  // nobody looks: that is no reason to fail
}

scenario::RunOptions MakeOptions(const Cli& cli, const RunArguments& arguments, RunHalt& halt) {
  scenario::RunOptions options;
  options.probe = MakeProber(cli);
  options.connect = [&cli](const std::string& target) { return cli.DaemonNamed(target); };
  options.halt = &halt.halt();
  options.keep_on_fail = arguments.keep_on_fail;
  options.on_note = [&cli](const std::string& note) { cli.Note("run: " + note); };
  if (arguments.pause_on_fail) {
    options.on_failure = [&cli, &halt, one = std::make_shared<std::mutex>()](const report::ScenarioResult& result) {
      const std::lock_guard<std::mutex> lock(*one);
      if (halt.halt().reason().has_value()) return;
      cli.Note("run: " + Printable(report::FullName(result) + " failed: " + result.message));
      cli.Note("run: its sockets are there until Enter");
      halt.AwaitEnter();
    };
  }
  return options;
}

absl::Status Run(Cli& cli, const RunArguments& arguments) {
  SOCKETEER_RETURN_IF_ERROR(cli.RefuseHost("a scenario names its hosts itself, and has sessions of its own"));
  SOCKETEER_RETURN_IF_ERROR(cli.RefuseFormat());
  if (arguments.schema) return cli.out().Bytes(scenario::Schema().dump(2) + "\n");
  if (arguments.files.empty()) return UsageError("FILE is required: a scenario");
  if (arguments.pause_on_fail && isatty(STDIN_FILENO) == 0) {
    return UsageError("--pause-on-fail waits for Enter, and standard input is no terminal");
  }
  SOCKETEER_ASSIGN_OR_RETURN(scenario::SuiteOptions suite_options, ParseSuite(arguments));
  if (arguments.shuffle == "random") cli.Note("run: --shuffle=" + std::to_string(*suite_options.shuffle));
  std::vector<absl::Status> mistakes;
  const absl::StatusOr<scenario::Suite> suite = scenario::Suite::Read(std::move(suite_options), &mistakes);
  for (const absl::Status& mistake : mistakes) cli.Report(mistake);
  if (!suite.ok()) return absl::OkStatus();  // it is told
  if (arguments.dry_run) return PrintPlan(cli, *suite);
  SOCKETEER_RETURN_IF_ERROR(report::CheckReports(arguments.reports));
  RunHalt halt;
  std::optional<report::Live> live(std::in_place, report::Live::Options{.colour = std::getenv("NO_COLOR") == nullptr});
  const report::RunResult run = suite->Run(MakeOptions(cli, arguments, halt), &*live);
  live.reset();  // takes its table away
  Narrate(run);
  for (const report::ScenarioResult& each : run.scenarios) cli.CountExit(ExitCodeOf(each.verdict));
  if (InterruptSignal() != 0) cli.CountExit(kExitSignal + InterruptSignal());
  const absl::Status written = report::WriteReports(run, arguments.reports);
  cli.Report(written);
  cli.Count(written);
  return absl::OkStatus();  // it is told
}

}  // namespace

void AddRun(CLI::App& app, Cli& cli) {
  auto arguments = std::make_shared<RunArguments>();
  CLI::App* verb = app.add_subcommand("run", "Run scenarios: what several hosts do with sockets, and what is seen");
  verb->footer(kRunFooter);
  verb->add_option("FILE", arguments->files, "Scenarios, YAML");
  AddRepeated(verb, "--set", arguments->set, "In place of a variable of the files")->type_name("NAME=VALUE");
  AddRepeated(verb, "--tag", arguments->tags, "Only scenarios with one of these tags; '!TAG': none with that one")
      ->type_name("TAG");
  AddOptional(verb, "--repeat", arguments->repeat, "Run each so often; default: once")->type_name("COUNT");
  AddOptional(verb, "--jobs", arguments->jobs, "How many run at the same time, at most 64; default: 1")
      ->type_name("COUNT");
  verb->add_flag("--shuffle{random}", arguments->shuffle,
                 "Begin them in a random order, --shuffle=SEED in that of the seed; a random one is told");
  verb->add_flag("--schema", arguments->schema, "Print the JSON Schema of scenarios, for editors, and run nothing");
  verb->add_flag("--dry-run", arguments->dry_run,
                 "Read everything, print what would run in its order, and run nothing");
  verb->add_flag("--keep-on-fail", arguments->keep_on_fail,
                 "Leave the sessions of a failed run to their leases, and tell their names");
  verb->add_flag("--pause-on-fail", arguments->pause_on_fail,
                 "Before the cleanup of a failed run wait for Enter, its sockets held");
  const auto report = [&](const std::string& name, std::string& path, const std::string& what) {
    verb->add_option(name, path, what + "; - is standard output")->type_name("FILE")->take_last();
  };
  report("--junit", arguments->reports.junit, "A report as JUnit XML");
  report("--json", arguments->reports.json, "As JSON");
  report("--tap", arguments->reports.tap, "As TAP 14");
  report("--html", arguments->reports.html, "As one page, with the hosts' times side by side");
  cli.SetAction(verb, [&cli, arguments] { return Run(cli, *arguments); });
}

}  // namespace socketeer::cli
