// healthcheck and version: about the daemon itself.
#include <string>

#include "client/cli/exit_code.h"
#include "client/cli/fleet.h"
#include "client/cli/verbs.h"
#include "socketeer/error.h"
#include "socketeer/status_macros.h"
#include "socketeer/text.h"

namespace socketeer::cli {
namespace {

using HealthResponse = grpc::health::v1::HealthCheckResponse;

std::string HealthWord(const HealthResponse& health) { return HealthResponse::ServingStatus_Name(health.status()); }

absl::Status CheckServing(const Host& host, const HealthResponse& health) {
  if (health.status() == HealthResponse::SERVING) return absl::OkStatus();
  return absl::UnavailableError("the daemon at " + host.endpoint() + " takes no calls: " + HealthWord(health));
}

absl::Status HealthcheckFleet(Cli& cli) {
  const auto ask = [](const HostEntry&, const Host& host, const CallOptions& calls) -> absl::StatusOr<HostAnswer> {
    SOCKETEER_ASSIGN_OR_RETURN(const HealthResponse health, host.CheckHealth(calls));
    HostAnswer answer{.rows = {{HealthWord(health)}}, .json = ToJson(health)};
    if (const absl::Status serving = CheckServing(host, health); !serving.ok()) answer.errors = {serving};
    return answer;
  };
  return AskFleet(cli, {.member = "health",
                        .columns = {"STATUS"},
                        .header = false,
                        .prints_names = false,
                        .in_session = false,
                        .ask = ask});
}

absl::Status Healthcheck(Cli& cli) {
  if (cli.OnFleet()) return HealthcheckFleet(cli);
  SOCKETEER_RETURN_IF_ERROR(cli.out().RefuseName());
  SOCKETEER_ASSIGN_OR_RETURN(const Host host, cli.DaemonItself());
  SOCKETEER_ASSIGN_OR_RETURN(const HealthResponse health, host.CheckHealth(cli.Calls()));
  SOCKETEER_RETURN_IF_ERROR(cli.out().IsStructured() ? cli.out().Message(health)
                                                     : cli.out().Bytes(HealthWord(health) + "\n"));
  return CheckServing(host, health);
}

std::string DaemonText(const Host& host, const v1::Host& daemon) {
  return "daemon " + Printable(daemon.version()) + " at " + host.endpoint() + ", on " + Printable(daemon.host_name()) +
         " (Linux " + Printable(daemon.kernel_release()) + "), sees you as " + Printable(daemon.identity()) + "\n";
}

absl::Status VersionFleet(Cli& cli) {
  const auto ask = [](const HostEntry&, const Host& host, const CallOptions& calls) -> absl::StatusOr<HostAnswer> {
    SOCKETEER_ASSIGN_OR_RETURN(const v1::Host daemon, host.GetHost(calls));
    return HostAnswer{.rows = {{Printable(daemon.version()), Printable(daemon.host_name()),
                                Printable(daemon.kernel_release()), Printable(daemon.identity())}},
                      .json = ToJson(daemon)};
  };
  return AskFleet(cli, {.member = "daemon",
                        .columns = {"DAEMON", "ON", "LINUX", "SEES YOU AS"},
                        .prints_names = false,
                        .in_session = false,
                        .ask = ask,
                        .all_json = "\"client\":\"" SOCKETEER_VERSION "\",",
                        .all_text = "client " SOCKETEER_VERSION "\n"});
}

// The client's version is an answer by itself, whatever the daemon says.
absl::Status Version(Cli& cli) {
  if (cli.OnFleet()) return VersionFleet(cli);
  SOCKETEER_RETURN_IF_ERROR(cli.out().RefuseName());
  const absl::StatusOr<Host> host = cli.DaemonItself();
  if (Classify(host.status()) == ErrorKind::kArgument) return host.status();
  const absl::StatusOr<v1::Host> daemon =
      host.ok() ? host->GetHost(cli.Calls()) : absl::StatusOr<v1::Host>(host.status());
  if (cli.out().IsStructured()) {
    SOCKETEER_RETURN_IF_ERROR(cli.out().Json(
        "{\"client\":\"" SOCKETEER_VERSION "\",\"daemon\":" + (daemon.ok() ? ToJson(*daemon) : "null") + "}"));
  } else {
    SOCKETEER_RETURN_IF_ERROR(cli.out().Bytes("client " SOCKETEER_VERSION "\n"));
    if (daemon.ok()) SOCKETEER_RETURN_IF_ERROR(cli.out().Bytes(DaemonText(*host, *daemon)));
  }
  if (!daemon.ok()) cli.Note(FormatError(daemon.status()));
  return absl::OkStatus();
}

}  // namespace

void AddHealthcheck(CLI::App& app, Cli& cli) {
  CLI::App* verb = app.add_subcommand("healthcheck", "Ask whether the daemon takes calls; exit code 0 or 2");
  cli.SetFleetAction(verb, [&cli] { return Healthcheck(cli); });
}

void AddVersion(CLI::App& app, Cli& cli) {
  CLI::App* verb = app.add_subcommand("version", "Print the client's and the daemon's version");
  cli.SetFleetAction(verb, [&cli] { return Version(cli); });
}

}  // namespace socketeer::cli
