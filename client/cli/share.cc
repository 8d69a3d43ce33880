#include <algorithm>
#include <cctype>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "client/cli/arguments.h"
#include "client/cli/verbs.h"
#include "socketeer/status_macros.h"
#include "socketeer/text.h"

namespace socketeer::cli {
namespace {

struct ShareArguments {
  std::string socket;
  std::optional<std::string> identity;
  bool observe = false;
  bool withdraw = false;
};

constexpr char kShareFooter[] =
    R"(Without IDENTITY it lists with whom the socket is shared; else it shares it, and lists what stands
then. Who has it for use may do all but close, label, transfer and share it; who observes sees its
state and its options, and no data. He finds it under the same name: ids are the daemon's. Only the
owner shares. 'socketeer whoami' tells one's own identity.

Examples:
  socketeer share web token:ci                  token:ci may use it
  socketeer share web uid:1000 --observe        uid:1000 may look at it
  socketeer share web token:ci --withdraw       what token:ci has under way on it ends
  socketeer share web -o name                   the identities)";

absl::StatusOr<v1::Socket> Change(const RemoteSocket& socket, const ShareArguments& arguments,
                                  const CallOptions& options) {
  if (!arguments.identity.has_value()) return socket.Get(options);
  if (arguments.withdraw) return socket.Unshare(*arguments.identity, options);
  return socket.Share(*arguments.identity, arguments.observe ? v1::ACCESS_OBSERVE : v1::ACCESS_USE, options);
}

absl::Status Share(Cli& cli, const ShareArguments& arguments) {
  if (!arguments.identity.has_value() && (arguments.observe || arguments.withdraw)) {
    return UsageError(std::string(arguments.observe ? "--observe" : "--withdraw") + ": whose? IDENTITY is missing");
  }
  if (arguments.identity.has_value() && !IsUtf8(*arguments.identity)) return UsageError("IDENTITY: not UTF-8");
  SOCKETEER_ASSIGN_OR_RETURN(const RemoteSocket socket, cli.Socket(arguments.socket));
  SOCKETEER_ASSIGN_OR_RETURN(const v1::Socket shared, Change(socket, arguments, cli.Calls()));
  return cli.out().Grants(shared);
}

}  // namespace

std::string AccessWord(v1::Access access) {
  constexpr std::string_view kPrefix = "ACCESS_";
  std::string word = v1::Access_Name(access);
  if (!word.starts_with(kPrefix)) return std::to_string(access);
  word.erase(0, kPrefix.size());
  std::transform(word.begin(), word.end(), word.begin(), [](unsigned char c) { return std::tolower(c); });
  return word;
}

absl::Status Output::Grants(const v1::Socket& socket) const {
  if (IsStructured()) return Message(socket);
  std::string names;
  std::vector<std::vector<std::string>> rows = {{"IDENTITY", "ACCESS"}};
  for (const v1::Grant& grant : socket.grants()) {
    names += Printable(grant.identity()) + "\n";
    rows.push_back({Printable(grant.identity()), AccessWord(grant.access())});
  }
  return Bytes(format_ == Format::kName ? names : FormatTable(rows));
}

void AddShare(CLI::App& app, Cli& cli) {
  auto arguments = std::make_shared<ShareArguments>();
  CLI::App* verb = app.add_subcommand("share", "Let somebody else use or observe a socket");
  verb->footer(kShareFooter);
  AddSocket(verb, arguments->socket);
  AddOptional(verb, "IDENTITY", arguments->identity, "Whom: uid:1000, token:ci, spiffe://lab/agent and the like")
      ->type_name("");
  CLI::Option* const observe = verb->add_flag("--observe", arguments->observe, "To look at alone; default: to use");
  verb->add_flag("--withdraw", arguments->withdraw, "No longer")->excludes(observe);
  cli.SetAction(verb, [&cli, arguments] { return Share(cli, *arguments); });
}

}  // namespace socketeer::cli
