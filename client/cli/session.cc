// session create, hold, end, ls, inspect.
#include "socketeer/session.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "client/cli/arguments.h"
#include "client/cli/interrupt.h"
#include "client/cli/patience.h"
#include "client/cli/verbs.h"
#include "google/protobuf/util/time_util.h"
#include "socketeer/duration.h"
#include "socketeer/names.h"
#include "socketeer/status_macros.h"

namespace socketeer::cli {
namespace {

struct CreateArguments {
  std::optional<std::string> id;
  std::optional<std::string> ttl;
  std::optional<std::string> grace;
};

constexpr absl::Duration kMinLease = absl::Seconds(1);
constexpr absl::Duration kMaxLease = absl::Hours(24);

constexpr char kSessionFooter[] =
    R"(Sockets live as long as their session, and a session as long as its lease: it runs out when
nobody calls in it and nobody holds it. --session, or SOCKETEER_SESSION, says which session the
other verbs call in.

Examples:
  socketeer session create --id demo --ttl 10s
  socketeer session hold demo &
  SOCKETEER_SESSION=demo socketeer open tcp --bind 127.0.0.1:0 --listen
  socketeer session end demo)";

constexpr char kHoldFooter[] =
    R"(Holds until Ctrl-C; then the session lives on until its lease runs out. Ends with exit code 3
when the session does. Outlives a broken connection for --timeout.)";

absl::StatusOr<google::protobuf::Duration> ParseLease(const std::string& argument, const std::string& text,
                                                      absl::Duration min) {
  SOCKETEER_ASSIGN_OR_RETURN(const absl::Duration lease, InArgument(argument, ParseDuration(text, min, kMaxLease)));
  return google::protobuf::util::TimeUtil::NanosecondsToDuration(absl::ToInt64Nanoseconds(lease));
}

absl::Status Create(Cli& cli, const CreateArguments& arguments) {
  v1::CreateSessionRequest request;
  if (arguments.id.has_value()) {
    SOCKETEER_ASSIGN_OR_RETURN(*request.mutable_session_id(), InArgument("--id", ParseSessionId(*arguments.id)));
  }
  if (arguments.ttl.has_value()) {
    SOCKETEER_ASSIGN_OR_RETURN(*request.mutable_ttl(), ParseLease("--ttl", *arguments.ttl, kMinLease));
  }
  if (arguments.grace.has_value()) {
    SOCKETEER_ASSIGN_OR_RETURN(*request.mutable_grace(), ParseLease("--grace", *arguments.grace, absl::ZeroDuration()));
  }
  SOCKETEER_ASSIGN_OR_RETURN(const Host host, cli.DaemonItself());
  SOCKETEER_ASSIGN_OR_RETURN(Session session, host.CreateSession(request, cli.Calls()));
  session.Release();
  return cli.out().Session(session.session());
}

absl::Status Hold(Cli& cli, const std::string& argument) {
  SOCKETEER_ASSIGN_OR_RETURN(const std::string name, ParseSession(argument));
  SOCKETEER_ASSIGN_OR_RETURN(const Host host, cli.DaemonItself());
  SessionHold hold = host.HoldSession(name, cli.Calls());
  Patience patience(cli);
  while (true) {
    const absl::StatusOr<v1::Session> session = hold.Next();
    if (session.ok()) {
      patience.Answered();
      cli.Note("session hold: holding " + name);
      if (cli.out().format() != Format::kTable) SOCKETEER_RETURN_IF_ERROR(cli.out().Session(*session));
    } else {
      SOCKETEER_RETURN_IF_ERROR(patience.Forgive(session.status()));
    }
  }
}

absl::Status End(Cli& cli, const std::string& argument) {
  SOCKETEER_ASSIGN_OR_RETURN(const std::string name, ParseSession(argument));
  SOCKETEER_ASSIGN_OR_RETURN(const Host host, cli.DaemonItself());
  SOCKETEER_ASSIGN_OR_RETURN(const v1::Session session, host.EndSession(name, cli.Calls()));
  return cli.out().Session(session);
}

absl::Status ListSessions(Cli& cli) {
  SOCKETEER_ASSIGN_OR_RETURN(const Host host, cli.DaemonItself());
  SOCKETEER_ASSIGN_OR_RETURN(const std::vector<v1::Session> sessions, host.ListSessions(cli.Calls()));
  v1::ListSessionsResponse list;
  list.mutable_sessions()->Add(sessions.begin(), sessions.end());
  return cli.out().Sessions(list);
}

absl::Status InspectSession(Cli& cli, const std::string& argument) {
  SOCKETEER_ASSIGN_OR_RETURN(const std::string name, ParseSession(argument));
  SOCKETEER_ASSIGN_OR_RETURN(const Host host, cli.DaemonItself());
  SOCKETEER_ASSIGN_OR_RETURN(const v1::Session session, host.GetSession(name, cli.Calls()));
  return cli.out().SessionInFull(session);
}

void AddCreate(CLI::App& app, Cli& cli) {
  auto arguments = std::make_shared<CreateArguments>();
  CLI::App* verb = app.add_subcommand("create", "Make a session; prints it");
  AddOptional(verb, "--id", arguments->id, "Its id; default: a random one")->type_name("ID");
  AddOptional(verb, "--ttl", arguments->ttl, "Its lease, 1s to 24h; default: 1m")->type_name("TIME");
  AddOptional(verb, "--grace", arguments->grace, "How long its sockets stay behind the lease, 0 to 24h; default: 0")
      ->type_name("TIME");
  cli.SetAction(verb, [&cli, arguments] { return Create(cli, *arguments); });
}

// A verb whose one argument is SESSION.
void AddOfSession(CLI::App& app, Cli& cli, const std::string& name, const std::string& description,
                  absl::Status (*run)(Cli&, const std::string&), const std::string& footer = "") {
  auto session = std::make_shared<std::string>();
  CLI::App* verb = app.add_subcommand(name, description);
  verb->footer(footer);
  AddSession(verb, *session);
  cli.SetAction(verb, [&cli, session, run] { return run(cli, *session); });
}

}  // namespace

void AddSessions(CLI::App& app, Cli& cli) {
  CLI::App* session = app.add_subcommand("session", "Make, hold, end and list sessions: how long sockets live");
  session->require_subcommand(1);
  AddCreate(*session, cli);
  AddOfSession(*session, cli, "hold", "Keep a session alive until Ctrl-C", Hold, kHoldFooter);
  AddOfSession(*session, cli, "end", "Close a session's sockets and end it; prints it as it was last", End);
  AddOfSession(*session, cli, "inspect", "Show everything about a session, and renew it", InspectSession);
  CLI::App* ls = session->add_subcommand("ls", "List your sessions");
  cli.SetAction(ls, [&cli] { return ListSessions(cli); });
  session->footer(kSessionFooter);  // last: verbs that are added later would have it too
}

}  // namespace socketeer::cli
