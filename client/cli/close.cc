#include <memory>
#include <string>
#include <vector>

#include "client/cli/arguments.h"
#include "client/cli/filter.h"
#include "client/cli/interrupt.h"
#include "client/cli/verbs.h"
#include "socketeer/names.h"
#include "socketeer/status_macros.h"

namespace socketeer::cli {
namespace {

struct CloseArguments {
  std::vector<std::string> sockets;
  std::vector<std::string> labels;
  bool all = false;
};

constexpr char kCloseFooter[] =
    R"(Prints each socket as it was last. After a failure it goes on with the next one. With --session or
SOCKETEER_SESSION, --all and --label close sockets of that session alone, else of all of yours.

Examples:
  socketeer close web conn
  socketeer close --label app=demo
  socketeer --session job close --all
  socketeer close --all)";

// The handles of what the arguments mean; those that are listed carry their uid, so that no later
// namesake is closed.
absl::StatusOr<std::vector<RemoteSocket>> Find(Cli& cli, const Host& host, const CloseArguments& arguments) {
  std::vector<RemoteSocket> sockets;
  for (const std::string& argument : arguments.sockets) {
    SOCKETEER_ASSIGN_OR_RETURN(const std::string name, InArgument("SOCKET", ParseSocketName(argument)));
    sockets.push_back(host.Handle(name));
  }
  if (!arguments.sockets.empty()) return sockets;
  SOCKETEER_ASSIGN_OR_RETURN(const Labels labels, ParseLabels(arguments.labels));
  const std::string filter = host.session().empty() ? "" : "session = " + host.session();
  SOCKETEER_ASSIGN_OR_RETURN(const std::vector<v1::Socket> found, ListMatching(host, filter, labels, cli.Calls()));
  for (const v1::Socket& socket : found) {
    if (socket.access() == v1::ACCESS_UNSPECIFIED) sockets.push_back(host.Handle(socket));  // not what others share
  }
  if (sockets.empty()) cli.Note("no sockets");
  return sockets;
}

absl::Status Close(Cli& cli, const CloseArguments& arguments) {
  const int ways = !arguments.sockets.empty() + !arguments.labels.empty() + arguments.all;
  if (ways != 1) return UsageError("give SOCKET..., or --label KEY=VALUE, or --all");
  SOCKETEER_ASSIGN_OR_RETURN(const Host host, cli.Daemon());
  SOCKETEER_ASSIGN_OR_RETURN(std::vector<RemoteSocket> sockets, Find(cli, host, arguments));
  for (RemoteSocket& socket : sockets) {
    const absl::StatusOr<v1::Socket> closed = socket.Close(cli.Calls());
    const bool gone_meanwhile = arguments.sockets.empty() && closed.status().code() == absl::StatusCode::kNotFound;
    if (gone_meanwhile) continue;
    cli.Report(closed.status());
    if (closed.ok()) SOCKETEER_RETURN_IF_ERROR(cli.out().Socket(*closed));
    if (InterruptSignal() != 0) break;
  }
  return absl::OkStatus();
}

}  // namespace

void AddClose(CLI::App& app, Cli& cli) {
  auto arguments = std::make_shared<CloseArguments>();
  CLI::App* verb = app.add_subcommand("close", "Close sockets");
  verb->footer(kCloseFooter);
  AddSockets(verb, arguments->sockets);
  AddRepeated(verb, "--label", arguments->labels, "Every socket of the session with this label")
      ->type_name("KEY=VALUE");
  verb->add_flag("--all", arguments->all, "Every socket of the session; without one, of yours");
  cli.SetAction(verb, [&cli, arguments] { return Close(cli, *arguments); });
}

}  // namespace socketeer::cli
