// publish: a value that is there as long as the program runs.
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "client/cli/arguments.h"
#include "client/cli/patience.h"
#include "client/cli/stdio.h"
#include "client/cli/verbs.h"
#include "google/protobuf/util/time_util.h"
#include "socketeer/coordination.h"
#include "socketeer/duration.h"
#include "socketeer/names.h"
#include "socketeer/session.h"
#include "socketeer/status_macros.h"

namespace socketeer::cli {
namespace {

struct PublishArguments {
  std::string name;
  std::optional<std::string> text;
  std::optional<std::string> file;
  std::optional<std::string> ttl;
  bool shared = false;
};

// Limits.max_value_bytes of a daemon.
constexpr size_t kMaxValueBytes = 64 << 10;
constexpr char kDefaultTtl[] = "10s";
// Of the end that a Ctrl-C asks for.
constexpr absl::Duration kEndTime = absl::Seconds(1);

constexpr char kPublishFooter[] =
    R"(Prints the value's name when it is published, and keeps it until Ctrl-C, in a session of its own:
killed, it is gone within --ttl. With --session the value lives as long as that session, and the
program ends at once. Publishing again puts another value in place of your own of that name.

Examples:
  socketeer publish server 10.0.0.1:43117 &
  socketeer publish config --file config.json --shared
  socketeer --session standing publish phase two)";

absl::StatusOr<std::string> DataOf(const PublishArguments& arguments) {
  if (arguments.file.has_value()) {
    SOCKETEER_ASSIGN_OR_RETURN(const Input input, InArgument("--file", Input::File(*arguments.file)));
    return input.ReadAll(kMaxValueBytes, "a value");
  }
  if (!arguments.text.has_value() || *arguments.text == "-") {
    return Input::Standard().ReadAll(kMaxValueBytes, "a value");
  }
  return *arguments.text;
}

// The daemon, with calls in a session that is made for this.
absl::StatusOr<Host> OwnSession(Cli& cli, const Host& host, absl::Duration ttl) {
  v1::CreateSessionRequest create;
  *create.mutable_ttl() = google::protobuf::util::TimeUtil::NanosecondsToDuration(absl::ToInt64Nanoseconds(ttl));
  SOCKETEER_ASSIGN_OR_RETURN(Session session, host.CreateSession(create, cli.Calls()));
  session.Release();
  return session.host();
}

// Until it is told to end, or the session ends.
absl::Status HoldOn(Cli& cli, const Host& host, const v1::PublishValueRequest& request) {
  SessionHold hold = host.HoldSession(host.session(), cli.Calls());
  Patience patience(cli);
  bool published = false;
  while (true) {
    const absl::Status held = hold.Next().status();
    if (held.ok()) {
      patience.Answered();
      if (std::exchange(published, true)) continue;
      SOCKETEER_ASSIGN_OR_RETURN(const v1::Value value, Coordination(host).PublishValue(request, cli.Calls()));
      SOCKETEER_RETURN_IF_ERROR(cli.out().Value(value));
    } else {
      SOCKETEER_RETURN_IF_ERROR(patience.Forgive(held));
    }
  }
}

absl::Status Publish(Cli& cli, const PublishArguments& arguments) {
  v1::PublishValueRequest request;
  SOCKETEER_ASSIGN_OR_RETURN(*request.mutable_name(), InArgument("NAME", ParseValueName(arguments.name)));
  SOCKETEER_ASSIGN_OR_RETURN(
      const absl::Duration ttl,
      InArgument("--ttl", ParseDuration(arguments.ttl.value_or(kDefaultTtl), absl::Seconds(1), absl::Hours(24))));
  request.set_shared(arguments.shared);
  SOCKETEER_ASSIGN_OR_RETURN(const Host host, cli.Daemon());
  if (!host.session().empty() && arguments.ttl.has_value()) {
    return UsageError("--ttl does not go with a session that is named: the value lives as long as that");
  }
  SOCKETEER_ASSIGN_OR_RETURN(*request.mutable_data(), DataOf(arguments));
  if (!host.session().empty()) {
    SOCKETEER_ASSIGN_OR_RETURN(const v1::Value value, Coordination(host).PublishValue(request, cli.Calls()));
    return cli.out().Value(value);
  }
  SOCKETEER_ASSIGN_OR_RETURN(const Host own, OwnSession(cli, host, ttl));
  const absl::Status ended = HoldOn(cli, own, request);
  // What ended it may have been a Ctrl-C, which ends all calls that know of it.
  CallOptions last;
  last.deadline = absl::Now() + kEndTime;
  (void)own.EndSession(own.session(), last);
  return ended;
}

}  // namespace

void AddPublish(CLI::App& app, Cli& cli) {
  auto arguments = std::make_shared<PublishArguments>();
  CLI::App* verb = app.add_subcommand("publish", "Publish a value that others wait for, until Ctrl-C");
  verb->footer(kPublishFooter);
  verb->add_option("NAME", arguments->name, "ID or values/ID")->required()->type_name("");
  CLI::Option* const text =
      AddOptional(verb, "VALUE", arguments->text, "The value, at most 64 KiB; without it, or with '-', standard input")
          ->type_name("");
  AddOptional(verb, "--file", arguments->file, "A file with the value")->type_name("FILE")->excludes(text);
  AddOptional(verb, "--ttl", arguments->ttl, "How long it outlives a program that was killed; default: 10s")
      ->type_name("TIME");
  verb->add_flag("--shared", arguments->shared, "Everybody may see it; default: your identity alone");
  cli.SetAction(verb, [&cli, arguments] { return Publish(cli, *arguments); });
}

}  // namespace socketeer::cli
