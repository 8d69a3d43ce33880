#include <memory>
#include <set>
#include <string>
#include <vector>

#include "client/cli/arguments.h"
#include "client/cli/verbs.h"
#include "socketeer/names.h"
#include "socketeer/status_macros.h"
#include "socketeer/text.h"

namespace socketeer::cli {
namespace {

struct LabelArguments {
  std::string socket;
  std::vector<std::string> changes;
};

struct Changes {
  Labels set;
  std::vector<std::string> remove;
};

// KEY=VALUE sets, KEY- removes.
absl::StatusOr<Changes> ParseChanges(const std::vector<std::string>& arguments) {
  Changes changes;
  std::set<std::string> keys;
  for (const std::string& argument : arguments) {
    std::string key;
    if (argument.find('=') == std::string::npos && argument.ends_with("-")) {
      key = argument.substr(0, argument.size() - 1);
      SOCKETEER_RETURN_IF_ERROR(InArgument("LABEL", CheckLabelKey(key)));
      changes.remove.push_back(key);
    } else {
      SOCKETEER_ASSIGN_OR_RETURN(const auto label, InArgument("LABEL", ParseLabel(argument)));
      key = label.first;
      changes.set.insert(label);
    }
    if (!keys.insert(key).second) {
      return UsageError("LABEL: " + Quoted(argument) + ": the key is given twice");
    }
  }
  return changes;
}

absl::Status Label(Cli& cli, const LabelArguments& arguments) {
  SOCKETEER_ASSIGN_OR_RETURN(const Changes changes, ParseChanges(arguments.changes));
  SOCKETEER_ASSIGN_OR_RETURN(const RemoteSocket socket, cli.Socket(arguments.socket));
  SOCKETEER_ASSIGN_OR_RETURN(const v1::Socket updated, socket.UpdateLabels(changes.set, changes.remove, cli.Calls()));
  return cli.out().Socket(updated);
}

}  // namespace

void AddLabel(CLI::App& app, Cli& cli) {
  auto arguments = std::make_shared<LabelArguments>();
  CLI::App* verb = app.add_subcommand("label", "Set and remove labels");
  verb->footer("Example:\n  socketeer label web app=demo tier-    sets app, removes tier");
  AddSocket(verb, arguments->socket);
  verb->add_option("LABEL", arguments->changes, "KEY=VALUE sets, KEY- removes; one or more")->required()->type_name("");
  cli.SetAction(verb, [&cli, arguments] { return Label(cli, *arguments); });
}

}  // namespace socketeer::cli
