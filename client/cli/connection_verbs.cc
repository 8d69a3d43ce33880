// bind, connect, listen, accept, shutdown: one call each, and the socket afterwards.
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "client/cli/arguments.h"
#include "client/cli/verbs.h"
#include "socketeer/endpoint.h"
#include "socketeer/status_macros.h"

namespace socketeer::cli {
namespace {

struct AddressArguments {
  std::string socket;
  std::optional<std::string> address;
  bool disconnect = false;
};

struct ListenArguments {
  std::string socket;
  std::optional<std::string> backlog;
};

struct AcceptArguments {
  std::string socket;
  std::optional<std::string> id;
  std::vector<std::string> labels;
};

struct ShutdownArguments {
  std::string socket;
  std::string direction;
};

absl::Status Print(Cli& cli, const absl::StatusOr<v1::Socket>& socket) {
  return socket.ok() ? cli.out().Socket(*socket) : socket.status();
}

absl::Status Bind(Cli& cli, const AddressArguments& arguments) {
  SOCKETEER_ASSIGN_OR_RETURN(const v1::Endpoint local,
                             InArgument("ADDRESS", ParseEndpoint(arguments.address.value(), EndpointUse::kBind)));
  SOCKETEER_ASSIGN_OR_RETURN(const RemoteSocket socket, cli.Socket(arguments.socket));
  return Print(cli, socket.Bind(local, cli.Calls()));
}

absl::Status Connect(Cli& cli, const AddressArguments& arguments) {
  if (arguments.disconnect == arguments.address.has_value()) {
    return UsageError("give either ADDRESS or --disconnect");
  }
  v1::ConnectSocketRequest request;
  if (arguments.disconnect) {
    request.set_disconnect(true);
  } else {
    SOCKETEER_ASSIGN_OR_RETURN(*request.mutable_peer(),
                               InArgument("ADDRESS", ParseEndpoint(*arguments.address, EndpointUse::kConnect)));
  }
  SOCKETEER_ASSIGN_OR_RETURN(const RemoteSocket socket, cli.Socket(arguments.socket));
  return Print(cli, socket.Connect(request, cli.Calls()));
}

absl::Status Listen(Cli& cli, const ListenArguments& arguments) {
  std::optional<int32_t> backlog;
  if (arguments.backlog.has_value()) {
    SOCKETEER_ASSIGN_OR_RETURN(backlog, ParseCount("--backlog", *arguments.backlog, 0, kMaxInt));
  }
  SOCKETEER_ASSIGN_OR_RETURN(const RemoteSocket socket, cli.Socket(arguments.socket));
  return Print(cli, socket.Listen(backlog, cli.Calls()));
}

absl::Status Accept(Cli& cli, const AcceptArguments& arguments) {
  v1::AcceptSocketRequest request;
  SOCKETEER_ASSIGN_OR_RETURN(*request.mutable_socket_id(), ParseNewId(arguments.id));
  SOCKETEER_ASSIGN_OR_RETURN(const Labels labels, ParseLabels(arguments.labels));
  request.mutable_labels()->insert(labels.begin(), labels.end());
  SOCKETEER_ASSIGN_OR_RETURN(const RemoteSocket listener, cli.Socket(arguments.socket));
  SOCKETEER_ASSIGN_OR_RETURN(RemoteSocket accepted, listener.Accept(request, cli.Calls()));
  accepted.Release();
  return cli.out().Socket(accepted.socket());
}

absl::StatusOr<v1::Direction> ParseDirection(const std::string& word) {
  if (word == "rd") return v1::DIRECTION_READ;
  if (word == "wr") return v1::DIRECTION_WRITE;
  if (word == "both") return v1::DIRECTION_BOTH;
  return UsageError("DIRECTION: \"" + word + "\" is not rd, wr or both");
}

absl::Status Shutdown(Cli& cli, const ShutdownArguments& arguments) {
  SOCKETEER_ASSIGN_OR_RETURN(const v1::Direction direction, ParseDirection(arguments.direction));
  SOCKETEER_ASSIGN_OR_RETURN(const RemoteSocket socket, cli.Socket(arguments.socket));
  return Print(cli, socket.Shutdown(direction, cli.Calls()));
}

}  // namespace

void AddBind(CLI::App& app, Cli& cli) {
  auto arguments = std::make_shared<AddressArguments>();
  CLI::App* verb = app.add_subcommand("bind", "Give a socket its own address");
  verb->footer("Example:\n  socketeer bind web 127.0.0.1:0");
  AddSocket(verb, arguments->socket);
  AddOptional(verb, "ADDRESS", arguments->address, "Where; port 0: the kernel chooses")->required()->type_name("");
  cli.SetAction(verb, [&cli, arguments] { return Bind(cli, *arguments); });
}

void AddConnect(CLI::App& app, Cli& cli) {
  auto arguments = std::make_shared<AddressArguments>();
  CLI::App* verb = app.add_subcommand("connect", "Connect a socket, and wait for the result");
  verb->footer(
      "Examples:\n  socketeer connect client 10.0.0.1:80\n"
      "  socketeer connect client --disconnect");
  AddSocket(verb, arguments->socket);
  AddOptional(verb, "ADDRESS", arguments->address, "The peer")->type_name("");
  verb->add_flag("--disconnect", arguments->disconnect,
                 "Dissolve the association (datagrams), abort the connection (TCP)");
  cli.SetAction(verb, [&cli, arguments] { return Connect(cli, *arguments); });
}

void AddListen(CLI::App& app, Cli& cli) {
  auto arguments = std::make_shared<ListenArguments>();
  CLI::App* verb = app.add_subcommand("listen", "Make a bound socket accept connections");
  verb->footer("Example:\n  socketeer listen web --backlog 16");
  AddSocket(verb, arguments->socket);
  AddOptional(verb, "--backlog", arguments->backlog, "Connections that may wait; default: 4096")->type_name("N");
  cli.SetAction(verb, [&cli, arguments] { return Listen(cli, *arguments); });
}

void AddAccept(CLI::App& app, Cli& cli) {
  auto arguments = std::make_shared<AcceptArguments>();
  CLI::App* verb = app.add_subcommand("accept", "Wait for a connection; prints the new socket");
  verb->footer("Example:\n  socketeer accept web --id conn --timeout 5s");
  AddSocket(verb, arguments->socket);
  AddOptional(verb, "--id", arguments->id, "The new socket's id; default: a random one")->type_name("ID");
  AddRepeated(verb, "--label", arguments->labels, "A label")->type_name("KEY=VALUE");
  cli.SetAction(verb, [&cli, arguments] { return Accept(cli, *arguments); });
}

void AddShutdown(CLI::App& app, Cli& cli) {
  auto arguments = std::make_shared<ShutdownArguments>();
  CLI::App* verb = app.add_subcommand("shutdown", "End one direction of a connection, or both");
  verb->footer("Example:\n  socketeer shutdown conn wr    the peer sees the end of the stream");
  AddSocket(verb, arguments->socket);
  verb->add_option("DIRECTION", arguments->direction, "rd, wr or both")->required()->type_name("");
  cli.SetAction(verb, [&cli, arguments] { return Shutdown(cli, *arguments); });
}

}  // namespace socketeer::cli
