// What every verb of the program has at hand.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "CLI/CLI.hpp"
#include "client/cli/exit_code.h"
#include "client/cli/output.h"
#include "socketeer/host.h"
#include "socketeer/hosts_file.h"

namespace socketeer::cli {

// The options before the verb, the one action that the command line asked for, and its outcome.
// Main thread only.
class Cli {
 public:
  using Action = std::function<absl::Status()>;

  Cli() = default;
  Cli(const Cli&) = delete;
  Cli& operator=(const Cli&) = delete;

  // Adds --host, --session, -o and --timeout, and those of credentials.
  void AddGlobalOptions(CLI::App& app);
  // Makes `action` what the program does when `verb` is on the command line.
  void SetAction(CLI::App* verb, Action action);

  // Runs the action and reports its error; the program's exit code.
  int Run();
  // Prints an error and keeps its exit code, unless one is kept already. Nothing for OK.
  void Report(const absl::Status& status);
  // What was to be found out: the exit code, if it is not so.
  void Expected(bool held) {
    if (!held && exit_code_ == 0) exit_code_ = kExitUnexpected;
  }
  // A line of narration on stderr.
  void Note(std::string_view text) const;

  // The daemon that --host names, with calls in the session that --session names.
  absl::StatusOr<Host> Daemon() const;
  // The same for a verb that is called in no session; --session on its command line is a mistake.
  absl::StatusOr<Host> DaemonItself() const;
  // The same, whatever --session says.
  absl::StatusOr<Host> DaemonAt() const;
  // A handle of the socket that the argument SOCKET names; makes no call.
  absl::StatusOr<RemoteSocket> Socket(const std::string& argument) const;
  // The same after asking the daemon, so that its kind is known.
  absl::StatusOr<RemoteSocket> FindSocket(const std::string& argument);
  // What each call gets: --timeout and Ctrl-C.
  CallOptions Calls();
  absl::Duration timeout() const { return timeout_; }
  // INVALID_ARGUMENT when there is an --output: of a verb whose output has one form.
  absl::Status RefuseFormat() const;
  const Output& out() const { return *output_; }

 private:
  absl::Status Prepare();
  void AddCredentialOptions(CLI::App& app);
  // What --host says: an address, with nothing beside it, or a host of the hosts file.
  absl::StatusOr<HostEntry> Target() const;
  // Of each, what an option says; else its variable; else the hosts file.
  absl::StatusOr<Credentials> CredentialsFor(const HostEntry& host) const;

  std::optional<std::string> host_;
  std::optional<std::string> hosts_file_;
  std::optional<std::string> session_;
  struct CredentialOptions {
    std::optional<std::string> ca, cert, key, token_file;
  };
  CredentialOptions credentials_;
  std::string format_;  // "": the default
  std::string timeout_text_ = "30s";
  absl::Duration timeout_;
  std::optional<Output> output_;
  std::string verb_;
  Action action_;
  Cancellation cancellation_;
  int exit_code_ = 0;
};

// Says in an error to which argument it belongs: "--bind: ...".
absl::Status InArgument(std::string_view argument, const absl::Status& status);

template <typename T>
absl::StatusOr<T> InArgument(std::string_view argument, absl::StatusOr<T> value) {
  if (value.ok()) return value;
  return InArgument(argument, value.status());
}

// A mistake in how the program was called.
absl::Status UsageError(std::string_view message);

}  // namespace socketeer::cli
