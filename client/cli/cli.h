// What every verb of the program has at hand.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "CLI/CLI.hpp"
#include "client/cli/arguments.h"
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

  // Adds --host, --on, --session, -o and --timeout, and those that go with them.
  void AddGlobalOptions(CLI::App& app);
  // Makes `action` what the program does when `verb` is on the command line.
  void SetAction(CLI::App* verb, Action action) { Add(verb, std::move(action), false); }
  // The same of a verb that can ask many hosts: --on and --all-hosts go with it.
  void SetFleetAction(CLI::App* verb, Action action) { Add(verb, std::move(action), true); }

  // Runs the action and reports its error; the program's exit code.
  int Run();
  // Prints an error and keeps its exit code, unless one is kept already. Nothing for OK.
  void Report(const absl::Status& status);
  // Prints an error of one of many hosts in its name, and keeps the gravest exit code. Nothing for OK.
  void ReportOf(const std::string& host, const absl::Status& status);
  // The same without printing it.
  void Count(const absl::Status& status);
  // The same of an exit code.
  void CountExit(int code) { exit_code_ = GraverExitCode(exit_code_, code); }
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
  // Whether many hosts are asked: there is --on or --all-hosts.
  bool OnFleet() const { return all_hosts_ || !on_.empty(); }
  // The hosts of the hosts file that carry the labels of --on, and `labels`. A mistake: --host, or that there is none.
  absl::StatusOr<std::vector<HostEntry>> FleetHosts(const Labels& labels) const;
  // The whole hosts file; nullopt: there is none.
  absl::StatusOr<std::optional<HostsFile>> Hosts() const;
  // Whether --host is on the command line.
  bool HasHostOption() const { return host_.has_value(); }
  // One of them. --timeout bounds each call that does not wait, too. Any thread.
  absl::StatusOr<Host> DaemonOf(const HostEntry& host) const;
  // One of many that are not those of --on: `target` is what --host may be. Any thread.
  absl::StatusOr<Host> DaemonNamed(const std::string& target) const;
  // A mistake: --host or --session, of a verb whose hosts and sessions are told elsewhere.
  absl::Status RefuseHost(std::string_view instead) const;
  // The same daemon, with calls in the session that --session names.
  absl::StatusOr<Host> InSession(const Host& host) const;
  // What is wrong with --session, of a verb that is called in one, or in none.
  absl::Status CheckSession(bool in_session) const;
  // A handle of the socket that the argument SOCKET names; makes no call.
  absl::StatusOr<RemoteSocket> Socket(const std::string& argument) const;
  // The same after asking the daemon, so that its kind is known.
  absl::StatusOr<RemoteSocket> FindSocket(const std::string& argument);
  // What each call gets: --timeout and Ctrl-C.
  CallOptions Calls();
  absl::Duration timeout() const { return timeout_; }
  // --timeout; nullopt: it is not on the command line, and another default than the program's may count.
  std::optional<absl::Duration> TimeoutGiven() const {
    return timeout_text_.empty() ? std::nullopt : std::optional(timeout_);
  }
  // INVALID_ARGUMENT when there is an --output: of a verb whose output has one form.
  absl::Status RefuseFormat() const;
  const Output& out() const { return *output_; }

 private:
  void Add(CLI::App* verb, Action action, bool takes_fleet);
  absl::Status Prepare();
  absl::Status RefuseFleet() const;
  void AddHostOptions(CLI::App& app);
  void AddCredentialOptions(CLI::App& app);
  // --host, else SOCKETEER_HOST.
  std::optional<std::string> HostGiven() const;
  // "": there is none.
  absl::StatusOr<std::string> HostsFilePath() const;
  // What --host says.
  absl::StatusOr<HostEntry> Target() const;
  // An address, with nothing beside it, or a host of the hosts file. `said_by` begins a mistake.
  absl::StatusOr<HostEntry> TargetNamed(const std::string& name, std::string_view said_by) const;
  // "sessions/ID"; "": none is named.
  absl::StatusOr<std::string> SessionGiven() const;
  absl::StatusOr<HostOptions> HostOptionsFor(const HostEntry& target, bool one_of_many) const;
  // Of each, what an option says; else its variable; else the hosts file. Of one of many hosts, what the hosts file
  // says comes before the variables.
  absl::StatusOr<Credentials> CredentialsFor(const HostEntry& host, bool one_of_many) const;

  std::optional<std::string> host_;
  std::optional<std::string> hosts_file_;
  std::vector<std::string> on_;
  bool all_hosts_ = false;
  std::optional<std::string> session_;
  struct CredentialOptions {
    std::optional<std::string> ca, cert, key, token_file;
  };
  CredentialOptions credentials_;
  std::string format_;        // "": the default
  std::string timeout_text_;  // "": the default
  absl::Duration timeout_;
  std::optional<Output> output_;
  std::string verb_;
  Action action_;
  bool takes_fleet_ = false;
  std::vector<std::string> fleet_verbs_;  // that there are
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
