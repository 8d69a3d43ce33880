// Which daemons: --host, --hosts-file, --on, --all-hosts, and the variables that stand for them.
#include <algorithm>
#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

#include "client/cli/arguments.h"
#include "client/cli/cli.h"
#include "socketeer/names.h"
#include "socketeer/status_macros.h"
#include "socketeer/text.h"

namespace socketeer::cli {
namespace {

// The daemon may be far away, and has to do something before it answers.
constexpr absl::Duration kShortestAnswer = absl::Seconds(1);

}  // namespace

void Cli::AddHostOptions(CLI::App& app) {
  AddOptional(&app, "--host", host_,
              "The daemon: unix:PATH, /PATH, HOST[:7625], or a NAME of the hosts file; or SOCKETEER_HOST.\n"
              "Default: the one of this machine, $XDG_RUNTIME_DIR/socketeer.sock, or /run/socketeer.sock\n"
              "for root")
      ->type_name("HOST");
  AddOptional(&app, "--hosts-file", hosts_file_,
              "YAML: names of hosts, with addresses and credentials, or SOCKETEER_HOSTS_FILE. Default:\n"
              "$XDG_CONFIG_HOME/socketeer/hosts.yaml, or ~/.config/socketeer/hosts.yaml")
      ->type_name("FILE");
  AddRepeated(&app, "--on", on_, "Every host of the hosts file with this label, at once, in place of --host")
      ->type_name("KEY=VALUE");
  app.add_flag("--all-hosts", all_hosts_, "Every host of the hosts file");
}

absl::Status Cli::RefuseFleet() const {
  if (!OnFleet() || takes_fleet_) return absl::OkStatus();
  std::string verbs;
  for (const std::string& verb : fleet_verbs_) verbs += (verbs.empty() ? "" : ", ") + verb;
  return UsageError(std::string(all_hosts_ ? "--all-hosts" : "--on") +
                    " does not go with this verb, which is not for many hosts; it goes with " + verbs);
}

std::optional<std::string> Cli::HostGiven() const {
  if (host_.has_value()) return host_;
  // Not the parser's: it does not tell the variable from the option.
  const char* const variable = std::getenv("SOCKETEER_HOST");
  return variable == nullptr || *variable == '\0' ? std::nullopt : std::optional<std::string>(variable);
}

absl::StatusOr<std::string> Cli::HostsFilePath() const {
  SOCKETEER_ASSIGN_OR_RETURN(std::string path, PathFrom({hosts_file_, "--hosts-file", "SOCKETEER_HOSTS_FILE"}));
  return path.empty() ? DefaultHostsFile() : path;
}

absl::StatusOr<HostEntry> Cli::Target() const {
  const std::optional<std::string> given = HostGiven();
  HostEntry host;
  if (!given.has_value()) {
    SOCKETEER_ASSIGN_OR_RETURN(host.address, InArgument("--host", DefaultEndpoint()));
  } else {
    host.address = *given;
  }
  if (!given.has_value() || !CheckHostName(*given).ok()) {
    if (!hosts_file_.has_value()) return host;
    return UsageError("--hosts-file goes with a NAME in --host" +
                      (given.has_value() ? ", and " + Quoted(*given) + " is an address" : ", which is not given"));
  }
  return TargetNamed(*given, "--host: ");
}

absl::StatusOr<HostEntry> Cli::TargetNamed(const std::string& name, std::string_view said_by) const {
  HostEntry host;
  host.address = name;
  if (!CheckHostName(name).ok()) return host;
  SOCKETEER_ASSIGN_OR_RETURN(const std::string path, HostsFilePath());
  if (path.empty()) return host;
  SOCKETEER_ASSIGN_OR_RETURN(const HostsFile hosts, HostsFile::Load(path));
  absl::StatusOr<HostEntry> found = hosts.Find(name);
  if (found.ok()) return found;
  return UsageError(std::string(said_by) + std::string(found.status().message()) +
                    ". An address without a port is written " + name + ":7625");
}

absl::StatusOr<Host> Cli::DaemonNamed(const std::string& target) const {
  SOCKETEER_ASSIGN_OR_RETURN(const HostEntry entry, TargetNamed(target, ""));
  SOCKETEER_ASSIGN_OR_RETURN(const HostOptions options, HostOptionsFor(entry, true));
  return Host::Connect(entry.address, options);
}

absl::Status Cli::RefuseHost(std::string_view instead) const {
  if (!host_.has_value() && !session_.has_value()) return absl::OkStatus();
  return UsageError(std::string(host_.has_value() ? "--host" : "--session") +
                    " does not go with this verb: " + std::string(instead));
}

absl::StatusOr<std::vector<HostEntry>> Cli::FleetHosts(const Labels& labels) const {
  if (host_.has_value()) {
    return UsageError("--host is one daemon, and does not go with " +
                      std::string(all_hosts_     ? "--all-hosts"
                                  : !on_.empty() ? "--on"
                                                 : "this verb, which asks those of the hosts file"));
  }
  if (all_hosts_ && !on_.empty()) return UsageError("give either --on or --all-hosts");
  SOCKETEER_ASSIGN_OR_RETURN(Labels wanted, ParseLabels(on_, "--on"));
  for (const auto& [key, value] : labels) {
    if (!wanted.emplace(key, value).second) return UsageError("--label: --on names the key " + Quoted(key) + " too");
  }
  SOCKETEER_ASSIGN_OR_RETURN(const std::string path, HostsFilePath());
  if (path.empty()) {
    return UsageError(
        "there is no hosts file: --hosts-file or SOCKETEER_HOSTS_FILE says where it is, else it is "
        "$XDG_CONFIG_HOME/socketeer/hosts.yaml or ~/.config/socketeer/hosts.yaml");
  }
  SOCKETEER_ASSIGN_OR_RETURN(const HostsFile hosts, HostsFile::Load(path));
  return InArgument(on_.empty() ? "--label" : "--on", hosts.Select(wanted));
}

absl::StatusOr<std::optional<HostsFile>> Cli::Hosts() const {
  SOCKETEER_ASSIGN_OR_RETURN(const std::string path, HostsFilePath());
  if (path.empty()) return std::nullopt;
  return HostsFile::Load(path);
}

absl::StatusOr<Host> Cli::DaemonOf(const HostEntry& host) const {
  SOCKETEER_ASSIGN_OR_RETURN(HostOptions options, HostOptionsFor(host, OnFleet()));
  options.answer_time = std::clamp(timeout_, kShortestAnswer, options.answer_time);
  return Host::Connect(host.address, options);
}

}  // namespace socketeer::cli
