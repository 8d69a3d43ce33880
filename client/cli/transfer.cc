#include <memory>
#include <string>

#include "client/cli/arguments.h"
#include "client/cli/verbs.h"
#include "socketeer/names.h"
#include "socketeer/status_macros.h"

namespace socketeer::cli {
namespace {

struct TransferArguments {
  std::string socket;
  std::string session;
};

absl::Status Transfer(Cli& cli, const TransferArguments& arguments) {
  SOCKETEER_ASSIGN_OR_RETURN(const std::string session, InArgument("--to", ParseSessionName(arguments.session)));
  SOCKETEER_ASSIGN_OR_RETURN(RemoteSocket socket, cli.Socket(arguments.socket));
  SOCKETEER_ASSIGN_OR_RETURN(const v1::Socket transferred, socket.Transfer(session, cli.Calls()));
  return cli.out().Socket(transferred);
}

}  // namespace

void AddTransfer(CLI::App& app, Cli& cli) {
  auto arguments = std::make_shared<TransferArguments>();
  CLI::App* verb = app.add_subcommand("transfer", "Move a socket to another session of yours");
  verb->footer("Example:\n  socketeer transfer web --to standing    it lives on when its session ends");
  AddSocket(verb, arguments->socket);
  verb->add_option("--to", arguments->session, "ID or sessions/ID")->required()->type_name("SESSION");
  cli.SetAction(verb, [&cli, arguments] { return Transfer(cli, *arguments); });
}

}  // namespace socketeer::cli
