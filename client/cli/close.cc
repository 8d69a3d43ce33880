#include <atomic>
#include <functional>
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
  socketeer close --label app=demo --all-hosts
  socketeer --session job close --all
  socketeer close --all)";

// Which sockets of a host: those of these names, or, without any, all of one's own that have the labels.
struct Closing {
  std::vector<std::string> names;
  Labels labels;
};

absl::StatusOr<Closing> Parse(const CloseArguments& arguments) {
  Closing closing;
  for (const std::string& argument : arguments.sockets) {
    SOCKETEER_ASSIGN_OR_RETURN(closing.names.emplace_back(), InArgument("SOCKET", ParseSocketName(argument)));
  }
  SOCKETEER_ASSIGN_OR_RETURN(closing.labels, ParseLabels(arguments.labels));
  return closing;
}

// The handles of what is meant; those that are listed carry their uid, so that no later namesake is closed.
absl::StatusOr<std::vector<RemoteSocket>> Find(const Host& host, const Closing& closing, const CallOptions& calls) {
  std::vector<RemoteSocket> sockets;
  for (const std::string& name : closing.names) sockets.push_back(host.Handle(name));
  if (!closing.names.empty()) return sockets;
  const std::string filter = host.session().empty() ? "" : "session = " + host.session();
  SOCKETEER_ASSIGN_OR_RETURN(const std::vector<v1::Socket> found, ListMatching(host, filter, closing.labels, calls));
  for (const v1::Socket& socket : found) {
    if (socket.access() == v1::ACCESS_UNSPECIFIED) sockets.push_back(host.Handle(socket));  // not what others share
  }
  return sockets;
}

// Closes each, and hands on how that went; but of one that was listed, and is gone meanwhile, nothing. Until a signal
// came, or `done` returns an error, which it returns.
absl::Status CloseEach(std::vector<RemoteSocket>& sockets, const Closing& closing, const CallOptions& calls,
                       const std::function<absl::Status(const absl::StatusOr<v1::Socket>&)>& done) {
  for (RemoteSocket& socket : sockets) {
    const absl::StatusOr<v1::Socket> closed = socket.Close(calls);
    const bool gone_meanwhile = closing.names.empty() && closed.status().code() == absl::StatusCode::kNotFound;
    if (gone_meanwhile) continue;
    SOCKETEER_RETURN_IF_ERROR(done(closed));
    if (InterruptSignal() != 0) break;
  }
  return absl::OkStatus();
}

absl::StatusOr<HostAnswer> CloseOn(const Host& host, const Closing& closing, const CallOptions& calls) {
  SOCKETEER_ASSIGN_OR_RETURN(std::vector<RemoteSocket> sockets, Find(host, closing, calls));
  HostAnswer answer;
  std::vector<std::string> documents;
  const auto keep = [&](const absl::StatusOr<v1::Socket>& closed) {
    if (closed.ok()) {
      answer.rows.push_back(SocketColumns(*closed));
      answer.names.push_back(closed->name());
      documents.push_back(ToJson(*closed));
    } else if (Classify(closed.status()) == ErrorKind::kUnreachable) {
      return closed.status();  // each other one would take as long to say so
    } else {
      answer.errors.push_back(closed.status());
    }
    return absl::OkStatus();
  };
  if (const absl::Status gone = CloseEach(sockets, closing, calls, keep); !gone.ok()) {
    const size_t left = sockets.size() - answer.rows.size() - answer.errors.size();
    answer.errors.push_back(AndAlso(gone, "sockets that may still be open", left));
  }
  answer.json = JsonList(documents);
  return answer;
}

absl::Status CloseFleet(Cli& cli, const CloseArguments& arguments, const Closing& closing) {
  if (arguments.labels.empty() == arguments.sockets.empty() || arguments.all) {
    return UsageError(
        "--all-hosts and --on go with --label KEY=VALUE, or with SOCKET...: what is not named is not closed");
  }
  std::atomic<bool> answered{false}, any{false};
  const auto ask = [&](const HostEntry&, const Host& host, const CallOptions& calls) {
    absl::StatusOr<HostAnswer> answer = CloseOn(host, closing, calls);
    answered = true;
    if (!answer.ok() || !answer->rows.empty() || !answer->errors.empty()) any = true;
    return answer;
  };
  SOCKETEER_RETURN_IF_ERROR(AskFleet(
      cli, {.member = "sockets", .columns = {"NAME", "KIND", "STATE", "LOCAL", "PEER"}, .header = false, .ask = ask}));
  if (answered && !any) cli.Note("no sockets");
  return absl::OkStatus();
}

absl::Status Close(Cli& cli, const CloseArguments& arguments) {
  SOCKETEER_ASSIGN_OR_RETURN(const Closing closing, Parse(arguments));
  if (cli.OnFleet()) return CloseFleet(cli, arguments, closing);
  const int ways = !arguments.sockets.empty() + !arguments.labels.empty() + arguments.all;
  if (ways != 1) return UsageError("give SOCKET..., or --label KEY=VALUE, or --all");
  SOCKETEER_ASSIGN_OR_RETURN(const Host host, cli.Daemon());
  SOCKETEER_ASSIGN_OR_RETURN(std::vector<RemoteSocket> sockets, Find(host, closing, cli.Calls()));
  if (sockets.empty()) cli.Note("no sockets");
  return CloseEach(sockets, closing, cli.Calls(), [&cli](const absl::StatusOr<v1::Socket>& closed) {
    cli.Report(closed.status());
    return closed.ok() ? cli.out().Socket(*closed) : absl::OkStatus();
  });
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
  cli.SetFleetAction(verb, [&cli, arguments] { return Close(cli, *arguments); });
}

}  // namespace socketeer::cli
