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

constexpr std::string_view kTimeout = "30s";
// The daemon may be far away, however short a wait is asked of it.
constexpr absl::Duration kShortestConnect = absl::Seconds(1);

}  // namespace

void Cli::AddGlobalOptions(CLI::App& app) {
  AddHostOptions(app);
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

void Cli::Add(CLI::App* verb, Action action, bool takes_fleet) {
  if (takes_fleet) fleet_verbs_.push_back(verb->get_name());
  verb->callback([this, verb, takes_fleet, action = std::move(action)] {
    takes_fleet_ = takes_fleet;
    const CLI::App* const parent = verb->get_parent();
    const bool nested = parent->get_parent() != nullptr;
    verb_ = (nested ? parent->get_name() + " " : "") + verb->get_name();
    action_ = action;
  });
}

absl::Status Cli::Prepare() {
  SOCKETEER_ASSIGN_OR_RETURN(timeout_,
                             InArgument("--timeout", ParseTimeout(timeout_text_.empty() ? kTimeout : timeout_text_)));
  SOCKETEER_RETURN_IF_ERROR(RefuseFleet());
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

void Cli::Count(const absl::Status& status) { exit_code_ = GraverExitCode(exit_code_, ExitCodeFor(status)); }

void Cli::ReportOf(const std::string& host, const absl::Status& status) {
  Count(status);
  if (status.ok()) return;
  if (Classify(status) == ErrorKind::kCancelled && InterruptSignal() != 0) return;
  Note(verb_ + ": " + host + ": " + FormatError(status));
}

void Cli::Note(std::string_view text) const {
  WriteAll(STDERR_FILENO, "socketeer: " + std::string(text) + "\n").IgnoreError();
}

absl::StatusOr<std::string> Cli::SessionGiven() const {
  if (session_.has_value()) return InArgument("--session", ParseSessionName(*session_));
  // Not the parser's: it does not tell the variable from the option.
  const char* const variable = std::getenv("SOCKETEER_SESSION");
  if (variable == nullptr || *variable == '\0') return std::string();
  return InArgument("SOCKETEER_SESSION", ParseSessionName(variable));
}

absl::Status Cli::CheckSession(bool in_session) const {
  if (in_session) return SessionGiven().status();
  if (!session_.has_value()) return absl::OkStatus();
  return UsageError("--session does not go with this verb, which is called in no session");
}

absl::StatusOr<Host> Cli::InSession(const Host& host) const {
  SOCKETEER_ASSIGN_OR_RETURN(const std::string session, SessionGiven());
  return session.empty() ? host : host.InSession(session);
}

absl::StatusOr<Host> Cli::Daemon() const {
  SOCKETEER_ASSIGN_OR_RETURN(const Host host, DaemonAt());
  return InSession(host);
}

absl::StatusOr<Host> Cli::DaemonItself() const {
  SOCKETEER_RETURN_IF_ERROR(CheckSession(false));
  return DaemonAt();
}

absl::StatusOr<Host> Cli::DaemonAt() const {
  SOCKETEER_ASSIGN_OR_RETURN(const HostEntry target, Target());
  SOCKETEER_ASSIGN_OR_RETURN(const HostOptions options, HostOptionsFor(target, OnFleet()));
  return InArgument("--host", Host::Connect(target.address, options));
}

absl::StatusOr<HostOptions> Cli::HostOptionsFor(const HostEntry& target, bool one_of_many) const {
  HostOptions options;
  options.connect_time = std::clamp(timeout_, kShortestConnect, options.connect_time);
  SOCKETEER_ASSIGN_OR_RETURN(options.credentials, CredentialsFor(target, one_of_many));
  if (const char* const traceparent = std::getenv("TRACEPARENT")) options.traceparent = traceparent;
  return options;
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
