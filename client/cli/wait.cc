#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "client/cli/arguments.h"
#include "client/cli/verbs.h"
#include "socketeer/error.h"
#include "socketeer/names.h"
#include "socketeer/status_macros.h"
#include "socketeer/text.h"

namespace socketeer::cli {
namespace {

struct WaitArguments {
  std::vector<std::string> sockets;
  std::string condition;
  std::optional<std::string> bytes;
  bool any = false;
  bool allow_missing = false;
};

constexpr char kWaitFooter[] =
    R"(Conditions: listening, connected, readable, writable, peer-closed, closed.
Prints the sockets for which it holds. With --allow-missing a socket may appear later, so two
programs can meet by a name.

Examples:
  socketeer wait web --for listening --allow-missing
  socketeer wait conn --for readable --bytes 512 --timeout 2s
  socketeer wait a b c --for peer-closed --any)";

absl::StatusOr<v1::Condition> ParseCondition(const std::string& word) {
  if (word == "listening") return v1::CONDITION_LISTENING;
  if (word == "connected") return v1::CONDITION_CONNECTED;
  if (word == "readable") return v1::CONDITION_READABLE;
  if (word == "writable") return v1::CONDITION_WRITABLE;
  if (word == "peer-closed") return v1::CONDITION_PEER_CLOSED;
  if (word == "closed") return v1::CONDITION_CLOSED;
  return UsageError("--for: " + Quoted(word) +
                    " is not listening, connected, readable, writable, peer-closed or closed");
}

absl::StatusOr<v1::AwaitSocketsRequest> MakeRequest(const WaitArguments& arguments) {
  SOCKETEER_ASSIGN_OR_RETURN(const v1::Condition condition, ParseCondition(arguments.condition));
  uint32_t bytes = 0;
  if (arguments.bytes.has_value()) {
    if (condition != v1::CONDITION_READABLE) return UsageError("--bytes is for --for readable");
    SOCKETEER_ASSIGN_OR_RETURN(bytes, ParseCount("--bytes", *arguments.bytes, 1, kMaxInt));
  }
  v1::AwaitSocketsRequest request;
  request.set_all(!arguments.any);
  for (const std::string& argument : arguments.sockets) {
    v1::AwaitItem& item = *request.add_items();
    SOCKETEER_ASSIGN_OR_RETURN(*item.mutable_name(), InArgument("SOCKET", ParseSocketName(argument)));
    item.set_condition(condition);
    item.set_readable_bytes(bytes);
    item.set_allow_missing(arguments.allow_missing);
  }
  return request;
}

absl::Status TimedOut(const v1::AwaitSocketsRequest& request, const v1::AwaitSocketsResponse& response,
                      const std::string& condition) {
  std::set<uint32_t> held;
  for (const v1::AwaitResult& result : response.results()) held.insert(result.index());
  std::string missing;
  for (int i = 0; i < request.items_size(); ++i) {
    if (held.count(static_cast<uint32_t>(i)) > 0) continue;
    missing += (missing.empty() ? "" : ", ") + request.items(i).name();
  }
  return TimedOutError("wait: timed out; not " + condition + ": " + missing);
}

absl::Status Wait(Cli& cli, const WaitArguments& arguments) {
  SOCKETEER_ASSIGN_OR_RETURN(const v1::AwaitSocketsRequest request, MakeRequest(arguments));
  SOCKETEER_ASSIGN_OR_RETURN(const Host host, cli.Daemon());
  SOCKETEER_ASSIGN_OR_RETURN(const v1::AwaitSocketsResponse response, host.Await(request, cli.Calls()));
  if (cli.out().IsStructured()) {
    SOCKETEER_RETURN_IF_ERROR(cli.out().Message(response));
  } else {
    for (const v1::AwaitResult& result : response.results()) {
      SOCKETEER_RETURN_IF_ERROR(cli.out().Socket(result.socket()));
    }
  }
  if (!response.timed_out()) return absl::OkStatus();
  return TimedOut(request, response, arguments.condition);
}

}  // namespace

void AddWait(CLI::App& app, Cli& cli) {
  auto arguments = std::make_shared<WaitArguments>();
  CLI::App* verb = app.add_subcommand("wait", "Wait until something holds for sockets");
  verb->footer(kWaitFooter);
  AddSockets(verb, arguments->sockets)->required();
  verb->add_option("--for", arguments->condition, "What to wait for (see below)")->required()->type_name("CONDITION");
  AddOptional(verb, "--bytes", arguments->bytes, "With readable: so many bytes")->type_name("N");
  verb->add_flag("--any", arguments->any, "One of the sockets is enough; default: all");
  verb->add_flag("--allow-missing", arguments->allow_missing, "A socket that does not exist (yet) is no error");
  cli.SetAction(verb, [&cli, arguments] { return Wait(cli, *arguments); });
}

}  // namespace socketeer::cli
