// hosts: the hosts of the hosts file, and how each one is.
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "client/cli/arguments.h"
#include "client/cli/fleet.h"
#include "client/cli/verbs.h"
#include "google/protobuf/util/time_util.h"
#include "socketeer/error.h"
#include "socketeer/status_macros.h"
#include "socketeer/text.h"

namespace socketeer::cli {
namespace {

constexpr absl::Duration kShortestVisit = absl::Seconds(1);

constexpr char kHostsFooter[] =
    R"(All are asked at once (64 at a time), each for at most --timeout. LATENCY is how long one call took, GetHost,
over a connection that was there already. SOCKETS are those of all callers.

Examples:
  socketeer hosts
  socketeer hosts --label rack=r1 --timeout 2s
  socketeer hosts -o json | jq -r '.hosts[] | select(.reachable | not).name')";

// What a daemon says of itself, and how long that took.
struct Visit {
  v1::Host daemon;
  absl::Duration latency;
};

absl::StatusOr<Visit> VisitHost(const HostEntry&, const Host& host, const CallOptions& calls) {
  SOCKETEER_RETURN_IF_ERROR(host.GetHost(calls).status());  // makes the connection
  const auto begin = std::chrono::steady_clock::now();
  SOCKETEER_ASSIGN_OR_RETURN(v1::Host daemon, host.GetHost(calls));
  const auto end = std::chrono::steady_clock::now();
  return Visit{std::move(daemon), absl::Floor(absl::FromChrono(end - begin), absl::Microseconds(1))};
}

// A daemon that refuses is there; nullopt: nobody asked it.
std::optional<bool> IsReachable(const absl::Status& status) {
  switch (Classify(status)) {
    case ErrorKind::kArgument:
    case ErrorKind::kCancelled:
      return std::nullopt;
    case ErrorKind::kNone:
    case ErrorKind::kDaemon:
    case ErrorKind::kPolicy:
    case ErrorKind::kDraining:
      return true;
    default:
      return false;
  }
}

std::string ReachableText(const absl::Status& status) {
  if (status.ok()) return "yes";
  const std::optional<bool> reachable = IsReachable(status);
  return (!reachable.has_value() ? "not asked: " : *reachable ? "yes, refused: " : "no: ") + FormatError(status);
}

std::string HostsTable(const std::vector<HostEntry>& hosts, const std::vector<absl::StatusOr<Visit>>& visits) {
  std::vector<std::vector<std::string>> rows = {
      {"NAME", "ADDRESS", "VERSION", "LATENCY", "SOCKETS", "LABELS", "REACHABLE"}};
  for (size_t i = 0; i < hosts.size(); ++i) {
    const absl::StatusOr<Visit>& visit = visits[i];
    rows.push_back({hosts[i].name, Printable(hosts[i].address), visit.ok() ? Printable(visit->daemon.version()) : "-",
                    visit.ok() ? absl::FormatDuration(visit->latency) : "-",
                    visit.ok() ? std::to_string(visit->daemon.usage().sockets()) : "-", LabelsText(hosts[i].labels),
                    ReachableText(visit.status())});
  }
  return FormatTable(rows);
}

Document HostDocument(const HostEntry& host, const absl::StatusOr<Visit>& visit) {
  using google::protobuf::util::TimeUtil;
  Document document = {{"name", host.name},     {"address", host.address},
                       {"reachable", nullptr},  {"version", nullptr},
                       {"latency", nullptr},    {"sockets", nullptr},
                       {"labels", host.labels}, {"errors", ErrorsDocument({visit.status()})}};
  if (const std::optional<bool> reachable = IsReachable(visit.status())) document["reachable"] = *reachable;
  if (visit.ok()) {
    document["version"] = visit->daemon.version();
    document["latency"] =
        TimeUtil::ToString(TimeUtil::MicrosecondsToDuration(absl::ToInt64Microseconds(visit->latency)));
    document["sockets"] = visit->daemon.usage().sockets();
  }
  return document;
}

absl::Status PrintHosts(const Output& out, const std::vector<HostEntry>& hosts,
                        const std::vector<absl::StatusOr<Visit>>& visits) {
  Document all = {{"hosts", Document::array()}};
  std::string names;
  for (size_t i = 0; i < hosts.size(); ++i) {
    all["hosts"].push_back(HostDocument(hosts[i], visits[i]));
    names += hosts[i].name + "\n";
  }
  if (out.IsStructured()) return out.Json(ToJson(all));
  return out.Bytes(out.format() == Format::kName ? names : HostsTable(hosts, visits));
}

absl::Status ShowHosts(Cli& cli, const std::vector<std::string>& label_arguments) {
  SOCKETEER_ASSIGN_OR_RETURN(const Labels labels, ParseLabels(label_arguments));
  SOCKETEER_RETURN_IF_ERROR(cli.CheckSession(false));
  SOCKETEER_ASSIGN_OR_RETURN(std::vector<HostEntry> hosts, cli.FleetHosts(labels));
  const Fleet fleet(std::move(hosts), [&cli](const HostEntry& entry) { return cli.DaemonOf(entry); },
                    {.time_per_host = std::max(cli.timeout(), kShortestVisit), .keep_connections = false});
  const std::vector<absl::StatusOr<Visit>> visits = fleet.ForEach(VisitHost, cli.Calls());
  for (const absl::StatusOr<Visit>& visit : visits) cli.Count(visit.status());
  return PrintHosts(cli.out(), fleet.hosts(), visits);
}

}  // namespace

void AddHosts(CLI::App& app, Cli& cli) {
  auto labels = std::make_shared<std::vector<std::string>>();
  CLI::App* verb = app.add_subcommand("hosts", "Ask every host of the hosts file whether it is there, and how it is");
  verb->footer(kHostsFooter);
  AddRepeated(verb, "--label", *labels, "Only hosts that the file gives this label")->type_name("KEY=VALUE");
  cli.SetFleetAction(verb, [&cli, labels] { return ShowHosts(cli, *labels); });
}

}  // namespace socketeer::cli
