#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "client/cli/arguments.h"
#include "client/cli/fleet.h"
#include "client/cli/verbs.h"
#include "socketeer/endpoint.h"
#include "socketeer/kind.h"
#include "socketeer/socket_options.h"
#include "socketeer/status_macros.h"

namespace socketeer::cli {
namespace {

struct OpenArguments {
  std::string kind;
  std::optional<std::string> bind;
  std::optional<std::string> connect;
  std::string listen;  // empty: no; "true": with the default backlog; else the backlog
  std::optional<std::string> id;
  std::vector<std::string> labels;
  std::vector<std::string> options;
};

constexpr char kOpenFooter[] =
    R"(Kinds: tcp, udp (the family follows the address), tcp4, tcp6, udp4, udp6, unix, unix-dgram,
unix-seqpacket.

Examples:
  socketeer open tcp --bind 127.0.0.1:0 --listen --id web --label app=demo
  socketeer open tcp --connect db.example:5432 --opt nodelay=on
  socketeer open udp --bind :0
  socketeer open tcp --bind :8080 --listen --id web --on role=server
  socketeer -o name open unix --bind /tmp/x.sock --listen=8)";

absl::Status FillAddresses(const OpenArguments& arguments, v1::OpenSocketRequest& request) {
  if (arguments.bind.has_value()) {
    SOCKETEER_ASSIGN_OR_RETURN(*request.mutable_bind(),
                               InArgument("--bind", ParseEndpoint(*arguments.bind, EndpointUse::kBind)));
  }
  if (arguments.connect.has_value()) {
    SOCKETEER_ASSIGN_OR_RETURN(*request.mutable_connect(),
                               InArgument("--connect", ParseEndpoint(*arguments.connect, EndpointUse::kConnect)));
  }
  return absl::OkStatus();
}

absl::Status FillListen(const std::string& listen, v1::OpenSocketRequest& request) {
  if (listen.empty()) return absl::OkStatus();
  request.mutable_listen();
  if (listen == "true") return absl::OkStatus();
  SOCKETEER_ASSIGN_OR_RETURN(const uint32_t backlog, ParseCount("--listen", listen, 0, kMaxInt));
  request.mutable_listen()->set_backlog(static_cast<int32_t>(backlog));
  return absl::OkStatus();
}

absl::StatusOr<v1::OpenSocketRequest> MakeRequest(const OpenArguments& arguments) {
  v1::OpenSocketRequest request;
  SOCKETEER_RETURN_IF_ERROR(FillAddresses(arguments, request));
  SOCKETEER_RETURN_IF_ERROR(FillListen(arguments.listen, request));
  SOCKETEER_ASSIGN_OR_RETURN(*request.mutable_socket_id(), ParseNewId(arguments.id));
  SOCKETEER_ASSIGN_OR_RETURN(const Labels labels, ParseLabels(arguments.labels));
  request.mutable_labels()->insert(labels.begin(), labels.end());
  for (const std::string& option : arguments.options) {
    SOCKETEER_RETURN_IF_ERROR(InArgument("--opt", SetOption(option, request.mutable_options())));
  }
  SOCKETEER_RETURN_IF_ERROR(InArgument("KIND", ApplyKind(arguments.kind, &request)));
  return request;
}

// What it opened, which stays. `where` stands before what it notes.
absl::StatusOr<v1::Socket> OpenAt(const Cli& cli, const Host& host, const v1::OpenSocketRequest& request,
                                  const CallOptions& calls, const std::string& where = "") {
  SOCKETEER_ASSIGN_OR_RETURN(RemoteSocket socket, host.Open(request, calls));
  socket.Release();
  for (const v1::FailedAttempt& attempt : socket.failed_attempts()) {
    cli.Note(where + "tried " + FormatEndpoint(attempt.peer()) + ": " + attempt.reason());
  }
  return socket.socket();
}

absl::Status OpenOnFleet(Cli& cli, const v1::OpenSocketRequest& request) {
  const auto ask = [&](const HostEntry& entry, const Host& host,
                       const CallOptions& calls) -> absl::StatusOr<HostAnswer> {
    SOCKETEER_ASSIGN_OR_RETURN(const v1::Socket socket, OpenAt(cli, host, request, calls, entry.name + ": "));
    return HostAnswer{.rows = {SocketColumns(socket)}, .json = ToJson(socket), .names = {socket.name()}};
  };
  return AskFleet(
      cli, {.member = "socket", .columns = {"NAME", "KIND", "STATE", "LOCAL", "PEER"}, .header = false, .ask = ask});
}

absl::Status Open(Cli& cli, const OpenArguments& arguments) {
  SOCKETEER_ASSIGN_OR_RETURN(const v1::OpenSocketRequest request, MakeRequest(arguments));
  if (cli.OnFleet()) return OpenOnFleet(cli, request);
  SOCKETEER_ASSIGN_OR_RETURN(const Host host, cli.Daemon());
  SOCKETEER_ASSIGN_OR_RETURN(const v1::Socket socket, OpenAt(cli, host, request, cli.Calls()));
  return cli.out().Socket(socket);
}

}  // namespace

void AddOpen(CLI::App& app, Cli& cli) {
  auto arguments = std::make_shared<OpenArguments>();
  CLI::App* verb = app.add_subcommand("open", "Make a socket; prints it with its real address");
  verb->footer(kOpenFooter);
  verb->add_option("KIND", arguments->kind, "tcp, udp, unix, ... (see below)")->required()->type_name("");
  AddOptional(verb, "--bind", arguments->bind, "The socket's own address")->type_name("ADDRESS");
  CLI::Option* connect =
      AddOptional(verb, "--connect", arguments->connect, "Connect, and wait for the result")->type_name("ADDRESS");
  // A flag, so that a backlog needs its '=' and the next word is left alone.
  verb->add_flag("--listen", arguments->listen, "Listen; --listen=N with a backlog of N")->excludes(connect);
  AddOptional(verb, "--id", arguments->id, "Its id; default: a random one")->type_name("ID");
  AddRepeated(verb, "--label", arguments->labels, "A label")->type_name("KEY=VALUE");
  AddRepeated(verb, "--opt", arguments->options, "A socket option, see 'opt ls'")->type_name("NAME=VALUE");
  cli.SetFleetAction(verb, [&cli, arguments] { return Open(cli, *arguments); });
}

}  // namespace socketeer::cli
