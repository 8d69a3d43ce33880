#include "client/cli/cli.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "client/cli/arguments.h"
#include "client/cli/exit_code.h"
#include "client/cli/interrupt.h"
#include "client/cli/stdio.h"
#include "socketeer/duration.h"
#include "socketeer/error.h"
#include "socketeer/names.h"
#include "socketeer/status_macros.h"

namespace socketeer::cli {
namespace {

// The daemon may be far away, however short a wait is asked of it.
constexpr absl::Duration kShortestConnect = absl::Seconds(1);

}  // namespace

void Cli::AddGlobalOptions(CLI::App& app) {
  AddOptional(&app, "--host", host_,
              "The daemon: unix:PATH, /PATH, HOST[:7625], or a NAME of the hosts file. Default: the one of\n"
              "this machine, $XDG_RUNTIME_DIR/socketeer.sock, or /run/socketeer.sock for root")
      ->type_name("HOST")
      ->envname("SOCKETEER_HOST");
  AddOptional(&app, "--hosts-file", hosts_file_,
              "YAML: names of hosts, with addresses and credentials, or SOCKETEER_HOSTS_FILE. Default:\n"
              "$XDG_CONFIG_HOME/socketeer/hosts.yaml, or ~/.config/socketeer/hosts.yaml")
      ->type_name("FILE");
  AddOptional(&app, "--session", session_,
              "The session that calls are made in, and that sockets are made for, or SOCKETEER_SESSION:\n"
              "ID or sessions/ID. Default: the session of the socket, or your standing one")
      ->type_name("SESSION");
  AddCredentialOptions(app);
  app.add_option("-o,--output", format_, "table, json, yaml or name; default: table")
      ->type_name("FORMAT")
      ->check(CLI::IsMember({"table", "json", "yaml", "name"}))
      ->take_last();
  app.add_option("--timeout", timeout_text_,
                 "How long to wait: 500ms, 2s, 1m, 1h; 0 tries once, none waits without a limit;\n"
                 "default: 30s")
      ->type_name("TIME")
      ->take_last();
}

void Cli::SetAction(CLI::App* verb, Action action) {
  verb->callback([this, verb, action = std::move(action)] {
    const CLI::App* const parent = verb->get_parent();
    const bool nested = parent->get_parent() != nullptr;
    verb_ = (nested ? parent->get_name() + " " : "") + verb->get_name();
    action_ = action;
  });
}

absl::Status Cli::Prepare() {
  SOCKETEER_ASSIGN_OR_RETURN(timeout_, InArgument("--timeout", ParseTimeout(timeout_text_)));
  output_.emplace(format_.empty() ? Format::kTable : *ParseFormat(format_));
  StartInterruptHandling(&cancellation_);
  return absl::OkStatus();
}

int Cli::Run() {
  absl::Status status = Prepare();
  if (status.ok()) status = action_();
  Report(status);
  return exit_code_;
}

void Cli::Report(const absl::Status& status) {
  if (status.ok()) return;
  const int exit_code = ExitCodeFor(status);
  if (exit_code_ == 0) exit_code_ = exit_code;
  if (Classify(status) == ErrorKind::kCancelled && InterruptSignal() != 0) return;

  std::string text = FormatError(status);
  // A kernel's error begins with the step that failed, which says more than the verb.
  const std::optional<v1::SocketError> error = SocketErrorOf(status);
  const bool named = text.starts_with(verb_ + ": ") ||
                     (error.has_value() && !error->operation().empty() && text.starts_with(error->operation() + ": "));
  if (!named && !verb_.empty()) text = verb_ + ": " + text;
  Note(text);
  if (Classify(status) == ErrorKind::kTls) Note("--ca, --cert and --key say who believes whom; see docs/cli.md");
  if (Classify(status) == ErrorKind::kUnreachable) {
    Note("is socketeerd running there? --host or SOCKETEER_HOST names another daemon");
  }
}

void Cli::Note(std::string_view text) const {
  WriteAll(STDERR_FILENO, "socketeer: " + std::string(text) + "\n").IgnoreError();
}

absl::StatusOr<Host> Cli::Daemon() const {
  // Not the parser's: it does not tell the variable from the option.
  const char* const variable = std::getenv("SOCKETEER_SESSION");
  const bool from_variable = !session_.has_value() && variable != nullptr && *variable != '\0';
  SOCKETEER_ASSIGN_OR_RETURN(const Host host, DaemonAt());
  if (from_variable) return InArgument("SOCKETEER_SESSION", host.InSession(variable));
  if (session_.has_value()) return InArgument("--session", host.InSession(*session_));
  return host;
}

absl::StatusOr<Host> Cli::DaemonItself() const {
  if (session_.has_value()) return UsageError("--session does not go with this verb, which is called in no session");
  return DaemonAt();
}

absl::StatusOr<Host> Cli::DaemonAt() const {
  SOCKETEER_ASSIGN_OR_RETURN(const HostEntry target, Target());
  HostOptions options;
  options.connect_time = std::clamp(timeout_, kShortestConnect, options.connect_time);
  SOCKETEER_ASSIGN_OR_RETURN(options.credentials, CredentialsFor(target));
  return InArgument("--host", Host::Connect(target.address, options));
}

absl::Status Cli::RefuseFormat() const {
  if (format_.empty()) return absl::OkStatus();
  return UsageError("-o/--output " + format_ + " does not go with this verb, which prints bytes as they are");
}

absl::StatusOr<RemoteSocket> Cli::Socket(const std::string& argument) const {
  SOCKETEER_ASSIGN_OR_RETURN(const std::string name, InArgument("SOCKET", ParseSocketName(argument)));
  SOCKETEER_ASSIGN_OR_RETURN(const Host host, Daemon());
  return host.Handle(name);
}

absl::StatusOr<RemoteSocket> Cli::FindSocket(const std::string& argument) {
  SOCKETEER_ASSIGN_OR_RETURN(const std::string name, InArgument("SOCKET", ParseSocketName(argument)));
  SOCKETEER_ASSIGN_OR_RETURN(const Host host, Daemon());
  return host.Find(name, Calls());
}

CallOptions Cli::Calls() { return {.timeout = timeout_, .cancellation = &cancellation_}; }

absl::Status InArgument(std::string_view argument, const absl::Status& status) {
  if (status.ok()) return status;
  return absl::Status(status.code(), std::string(argument) + ": " + std::string(status.message()));
}

absl::Status UsageError(std::string_view message) { return absl::InvalidArgumentError(std::string(message)); }

}  // namespace socketeer::cli
