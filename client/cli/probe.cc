// probe: whether hosts reach each other, and if not, why.
#include "client/probe/probe.h"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "client/cli/arguments.h"
#include "client/cli/probe_output.h"
#include "client/cli/probe_plan.h"
#include "client/cli/stdio.h"
#include "client/cli/verbs.h"
#include "client/report/write.h"
#include "google/protobuf/util/time_util.h"
#include "socketeer/fleet.h"
#include "socketeer/session.h"
#include "socketeer/status_macros.h"
#include "socketeer/text.h"

namespace socketeer::cli {
namespace {

// Of the session on each host: how long sockets outlive a probe that is killed.
constexpr int kLeaseSeconds = 10;
// A daemon that says nothing for so long is none.
constexpr absl::Duration kPatience = absl::Seconds(10);

constexpr char kProbeFooter[] =
    R"(An arrow is 'FROM->TO:PORT[,PORT...]', in quotation marks: to the shell > is a file. FROM is a host of the
hosts file, whose daemon connects; a dot, '.->TO:PORT', is the daemon of --host. TO is a host of the hosts
file (at its data_address, else where its daemon is), any other address, or a UNIX socket. A PORT is 80,
tcp/80 or udp/53.

Finds: open, refused, timeout, unreachable, reset, dns, denied (by a daemon), no-daemon, no-answer (UDP: open
or filtered), failed. With --listen also dropped, rejected, one-way, somebody-else.
Exit codes: 0 all as expected, 4 not so, 2 a daemon was not reached.

Examples:
  socketeer probe 'build-3->db:5432' 'build-3->db:22,udp/53'
  socketeer probe 'build-3->db:5432' --listen --timeout 2s
  socketeer probe 'build-3->10.0.0.9:443' --expect blocked
  socketeer probe --matrix network.yaml)";

struct ProbeArguments {
  std::vector<std::string> arrows;
  std::optional<std::string> matrix;
  std::optional<std::string> expect;
  std::optional<std::string> junit;
  bool udp = false;
  bool listen = false;
};

absl::StatusOr<absl::Duration> TimeoutOf(const Cli& cli, std::optional<absl::Duration> of_matrix) {
  const absl::Duration timeout = cli.TimeoutGiven().value_or(of_matrix.value_or(probe::kDefaultTimeout));
  if (timeout >= probe::kMinTimeout && timeout <= probe::kMaxProbeTimeout) return timeout;
  return UsageError("--timeout of a probe must be 10ms to 10m");
}

absl::StatusOr<probe::Matrix> LoadMatrix(const ProbeArguments& arguments) {
  const std::string& file = *arguments.matrix;
  if (!arguments.arrows.empty() || arguments.expect.has_value() || arguments.udp) {
    return UsageError("--matrix says all itself: arrows, --expect and --udp do not go with it");
  }
  SOCKETEER_ASSIGN_OR_RETURN(const Input input, Input::File(file));
  SOCKETEER_ASSIGN_OR_RETURN(const std::string text, input.ReadAll(probe::kMaxMatrixBytes, "a matrix"));
  return probe::ReadMatrix(text, file);
}

absl::StatusOr<std::vector<ProbeCell>> CellsOfArrows(const Cli& cli, const ProbeArguments& arguments,
                                                     const std::optional<HostsFile>& hosts) {
  if (arguments.arrows.empty()) return UsageError("give an arrow, 'FROM->TO:PORT', or --matrix FILE");
  SOCKETEER_ASSIGN_OR_RETURN(const probe::Expected expected,
                             InArgument("--expect", probe::ParseExpected(arguments.expect.value_or("open"))));
  std::vector<ProbeCell> cells;
  bool local = false;
  for (const std::string& arrow : arguments.arrows) {
    SOCKETEER_ASSIGN_OR_RETURN(const std::vector<ProbeCell> parsed, ParseArrow(arrow, arguments.udp, hosts));
    local = local || parsed[0].from == kFromHere;
    cells.insert(cells.end(), parsed.begin(), parsed.end());
  }
  for (ProbeCell& cell : cells) cell.expected = expected;
  if (cli.HasHostOption() && !local) return UsageError("--host is for arrows from a dot: '.->TO:PORT'");
  return cells;
}

// The sessions that the probe makes its sockets in, by the hosts' names; an error: why there is none.
class Sessions {
 public:
  static absl::StatusOr<Sessions> Make(Cli& cli, std::vector<HostEntry> hosts, bool local) {
    if (local) hosts.push_back({.name = kFromHere});
    const auto connect = [&cli](const HostEntry& entry) {
      return entry.name == kFromHere ? cli.DaemonItself() : cli.DaemonOf(entry);
    };
    const Fleet fleet(std::move(hosts), connect, {.time_per_host = kPatience});
    CallOptions calls = cli.Calls();
    std::vector<absl::StatusOr<Session>> made = fleet.ForEach(
        [](const HostEntry&, const Host& host, const CallOptions& options) {
          v1::CreateSessionRequest request;
          request.mutable_ttl()->set_seconds(kLeaseSeconds);
          return host.CreateSession(std::move(request), options);
        },
        calls);
    Sessions sessions;
    for (size_t i = 0; i < made.size(); ++i) {
      if (absl::IsCancelled(made[i].status()) || absl::IsInvalidArgument(made[i].status())) return made[i].status();
      sessions.by_name_.emplace(fleet.hosts()[i].name, std::move(made[i]));
    }
    return sessions;
  }

  absl::StatusOr<Host> HostOf(const std::string& name) const {
    const absl::StatusOr<Session>& session = by_name_.at(name);
    if (!session.ok()) return session.status();
    return session->host();
  }

 private:
  std::map<std::string, absl::StatusOr<Session>> by_name_;
};

absl::StatusOr<ProbeAnswers> AskPlan(Cli& cli, const ProbePlan& plan, const std::optional<HostsFile>& hosts) {
  SOCKETEER_ASSIGN_OR_RETURN(std::vector<HostEntry> entries, HostsOf(plan, hosts));
  bool local = false;
  for (const ProbeCell& cell : plan.cells) local = local || cell.from == kFromHere;
  SOCKETEER_ASSIGN_OR_RETURN(const Sessions sessions, Sessions::Make(cli, std::move(entries), local));
  std::vector<probe::Question> questions;
  for (const ProbeCell& cell : plan.cells) {
    probe::Question question{.from_name = cell.from,
                             .from = sessions.HostOf(cell.from),
                             .to = cell.address,
                             .protocol = cell.protocol,
                             .timeout = plan.timeout};
    if (plan.listen) {
      question.far = sessions.HostOf(cell.to);
      question.far_name = cell.to;
    }
    questions.push_back(std::move(question));
  }
  ProbeAnswers answers;
  for (absl::StatusOr<probe::Answer>& each : probe::AskAll(questions, cli.Calls().cancellation)) {
    if (!each.ok()) return each.status();
    answers.push_back(*std::move(each));
  }
  return answers;
}

void CountUnexpected(Cli& cli, const ProbePlan& plan, const ProbeAnswers& answers) {
  for (size_t i = 0; i < answers.size(); ++i) {
    if (IsAsExpected(plan.cells[i], answers[i])) continue;
    if (answers[i].reason == probe::Reason::kNoDaemon) cli.Count(absl::UnavailableError(""));
    cli.Expected(false);
  }
}

absl::Status Probe(Cli& cli, const ProbeArguments& arguments) {
  SOCKETEER_RETURN_IF_ERROR(cli.out().RefuseName());
  SOCKETEER_RETURN_IF_ERROR(cli.CheckSession(false));
  ProbePlan plan{.listen = arguments.listen};
  std::optional<probe::Matrix> matrix;
  if (arguments.matrix.has_value()) {
    SOCKETEER_ASSIGN_OR_RETURN(matrix, LoadMatrix(arguments));
    if (cli.HasHostOption()) return UsageError("--host does not go with --matrix, which names hosts of the hosts file");
    plan.listen = plan.listen || matrix->listen;
  }
  SOCKETEER_ASSIGN_OR_RETURN(plan.timeout, TimeoutOf(cli, matrix.has_value() ? matrix->timeout : std::nullopt));
  SOCKETEER_ASSIGN_OR_RETURN(const std::optional<HostsFile> hosts, cli.Hosts());
  if (matrix.has_value()) {
    SOCKETEER_ASSIGN_OR_RETURN(plan.cells, InArgument(Printable(*arguments.matrix), CellsOf(*matrix, hosts)));
  } else {
    SOCKETEER_ASSIGN_OR_RETURN(plan.cells, CellsOfArrows(cli, arguments, hosts));
  }
  const report::ReportFiles reports{.junit = arguments.junit.value_or("")};
  SOCKETEER_RETURN_IF_ERROR(InArgument("--junit", report::CheckReports(reports)));
  const absl::Time start = absl::Now();
  SOCKETEER_ASSIGN_OR_RETURN(const ProbeAnswers answers, AskPlan(cli, plan, hosts));
  CountUnexpected(cli, plan, answers);
  cli.Report(InArgument(
      "--junit", report::WriteReports(
                     ProbeResult(plan, answers, arguments.matrix.value_or("probe"), start, absl::Now()), reports)));
  if (cli.out().IsStructured()) return cli.out().Json(ProbeJson(plan, answers));
  return cli.out().Bytes(matrix.has_value() ? MatrixTable(plan, *matrix, answers) : ProbeTable(plan, answers));
}

}  // namespace

void AddProbe(CLI::App& app, Cli& cli) {
  auto arguments = std::make_shared<ProbeArguments>();
  CLI::App* verb = app.add_subcommand("probe", "Whether hosts reach each other, and if not, why");
  verb->footer(kProbeFooter);
  verb->add_option("ARROW", arguments->arrows, "'FROM->TO:PORT' (see below)")->type_name("");
  AddOptional(verb, "--matrix", arguments->matrix, "YAML: hosts, ports, and what must be found (docs/probe.md)")
      ->type_name("FILE");
  AddOptional(verb, "--expect", arguments->expect, "What must be found; also blocked; default: open")
      ->type_name("WORD");
  AddOptional(verb, "--junit", arguments->junit, "Write what was found as JUnit's XML, too; - is standard output")
      ->type_name("FILE");
  verb->add_flag("--udp", arguments->udp, "Ports without a protocol are UDP's");
  verb->add_flag("--listen", arguments->listen, "Open each port at TO first, in a session of its own");
  cli.SetAction(verb, [&cli, arguments] { return Probe(cli, *arguments); });
}

}  // namespace socketeer::cli
