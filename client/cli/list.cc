// ls and inspect.
#include <memory>
#include <string>
#include <vector>

#include "client/cli/arguments.h"
#include "client/cli/filter.h"
#include "client/cli/fleet.h"
#include "client/cli/interrupt.h"
#include "client/cli/verbs.h"
#include "socketeer/error.h"
#include "socketeer/names.h"
#include "socketeer/status_macros.h"
#include "socketeer/text.h"

namespace socketeer::cli {
namespace {

struct ListArguments {
  std::string filter;
  std::vector<std::string> labels;
};

constexpr char kListFooter[] =
    R"(A filter is terms joined by AND; a value may end in * for a prefix.

Examples:
  socketeer ls
  socketeer ls --filter 'state = LISTENING AND kind = tcp*'
  socketeer ls --label app=demo -o name
  socketeer ls --all-hosts --label app=demo
  socketeer ls --on rack=r1 --on role=web --filter 'state = LISTENING'
  socketeer ls -o json | jq -r '.sockets[].local.inet.port')";

HostAnswer AnswerOf(const std::vector<v1::Socket>& sockets) {
  HostAnswer answer;
  std::vector<std::string> documents;
  for (const v1::Socket& socket : sockets) {
    answer.rows.push_back(SocketRow(socket, true));
    answer.names.push_back(socket.name());
    documents.push_back(ToJson(socket));
  }
  answer.json = JsonList(documents);
  return answer;
}

absl::Status ListFleet(Cli& cli, const std::string& filter, const Labels& labels) {
  return AskFleet(
      cli, {.member = "sockets",
            .columns = SocketHeader(true),
            .ask = [&](const HostEntry&, const Host& host, const CallOptions& calls) -> absl::StatusOr<HostAnswer> {
              SOCKETEER_ASSIGN_OR_RETURN(const auto sockets, ListMatching(host, filter, labels, calls));
              return AnswerOf(sockets);
            }});
}

absl::Status List(Cli& cli, const ListArguments& arguments) {
  if (!IsUtf8(arguments.filter)) return UsageError("--filter: not UTF-8");
  SOCKETEER_ASSIGN_OR_RETURN(const Labels labels, ParseLabels(arguments.labels));
  if (cli.OnFleet()) return ListFleet(cli, arguments.filter, labels);
  SOCKETEER_ASSIGN_OR_RETURN(const Host host, cli.Daemon());
  SOCKETEER_ASSIGN_OR_RETURN(const std::vector<v1::Socket> sockets,
                             ListMatching(host, arguments.filter, labels, cli.Calls()));
  v1::ListSocketsResponse list;
  list.mutable_sockets()->Add(sockets.begin(), sockets.end());
  return cli.out().Sockets(list);
}

absl::StatusOr<HostAnswer> InspectOn(const HostEntry& entry, const Host& host, const std::vector<std::string>& names,
                                     const CallOptions& calls) {
  HostAnswer answer;
  std::vector<std::string> documents;
  for (const std::string& name : names) {
    const absl::StatusOr<RemoteSocket> socket = host.Find(name, calls);
    if (!socket.ok()) {
      answer.errors.push_back(socket.status());
      if (Classify(socket.status()) == ErrorKind::kUnreachable) {
        // Each other one would take as long to say so.
        const auto left = static_cast<size_t>(&names.back() - &name);
        if (left > 0) answer.errors.back() = AndAlso(socket.status(), "sockets that were not asked for", left);
        break;
      }
      continue;
    }
    std::vector<std::vector<std::string>> facts = SocketFacts(socket->socket());
    facts.insert(facts.begin(), {"Host:", entry.name});
    answer.text += (answer.text.empty() ? "" : "\n") + FormatTable(facts);
    answer.names.push_back(socket->name());
    documents.push_back(ToJson(socket->socket()));
  }
  answer.json = JsonList(documents);
  return answer;
}

absl::Status InspectFleet(Cli& cli, const std::vector<std::string>& arguments) {
  std::vector<std::string> names;
  for (const std::string& argument : arguments) {
    SOCKETEER_ASSIGN_OR_RETURN(names.emplace_back(), InArgument("SOCKET", ParseSocketName(argument)));
  }
  return AskFleet(cli,
                  {.member = "sockets", .ask = [&](const HostEntry& entry, const Host& host, const CallOptions& calls) {
                     return InspectOn(entry, host, names, calls);
                   }});
}

absl::Status Inspect(Cli& cli, const std::vector<std::string>& arguments) {
  if (cli.OnFleet()) return InspectFleet(cli, arguments);
  bool first = true;
  for (const std::string& argument : arguments) {
    const absl::StatusOr<RemoteSocket> socket = cli.FindSocket(argument);
    cli.Report(socket.status());
    if (InterruptSignal() != 0) break;
    if (!socket.ok()) continue;
    const bool separate = !first && cli.out().format() == Format::kTable;
    SOCKETEER_RETURN_IF_ERROR(cli.out().Bytes(separate ? "\n" : ""));
    SOCKETEER_RETURN_IF_ERROR(cli.out().SocketInFull(socket->socket()));
    first = false;
  }
  return absl::OkStatus();
}

}  // namespace

void AddList(CLI::App& app, Cli& cli) {
  auto arguments = std::make_shared<ListArguments>();
  CLI::App* verb = app.add_subcommand("ls", "List your sockets, and those shared with you");
  verb->footer(kListFooter);
  verb->add_option("--filter", arguments->filter, "Only those that match")->type_name("FILTER");
  AddRepeated(verb, "--label", arguments->labels, "Only those with this label")->type_name("KEY=VALUE");
  cli.SetFleetAction(verb, [&cli, arguments] { return List(cli, *arguments); });
}

void AddInspect(CLI::App& app, Cli& cli) {
  auto arguments = std::make_shared<std::vector<std::string>>();
  CLI::App* verb = app.add_subcommand("inspect", "Show everything about sockets");
  verb->footer(
      "Examples:\n  socketeer inspect web\n  socketeer inspect web conn -o json\n  socketeer inspect web --on rack=r1");
  AddSockets(verb, *arguments)->required();
  cli.SetFleetAction(verb, [&cli, arguments] { return Inspect(cli, *arguments); });
}

}  // namespace socketeer::cli
