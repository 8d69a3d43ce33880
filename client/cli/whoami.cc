// whoami: who the daemon takes the caller for.
#include <string>
#include <vector>

#include "client/cli/fleet.h"
#include "client/cli/verbs.h"
#include "google/protobuf/util/time_util.h"
#include "socketeer/status_macros.h"
#include "socketeer/text.h"

namespace socketeer::cli {
namespace {

std::string ProofText(v1::Proof proof) {
  switch (proof) {
    case v1::PROOF_NONE:
      return "nothing: over TCP without TLS everybody is anonymous";
    case v1::PROOF_UID:
      return "uid, by the kernel";
    case v1::PROOF_CERTIFICATE:
      return "certificate";
    case v1::PROOF_TOKEN:
      return "token";
    default:
      return "something that this program does not know";
  }
}

std::string ExpiryText(const v1::Caller& caller) {
  if (!caller.has_certificate_expire_time()) return "";
  return google::protobuf::util::TimeUtil::ToString(caller.certificate_expire_time());
}

absl::Status WhoAmIOnFleet(Cli& cli) {
  const auto ask = [](const HostEntry&, const Host& host, const CallOptions& calls) -> absl::StatusOr<HostAnswer> {
    SOCKETEER_ASSIGN_OR_RETURN(const v1::Caller caller, host.GetCaller(calls));
    return HostAnswer{.rows = {{Printable(caller.identity()), ProofText(caller.proof()), Printable(caller.session()),
                                OrDash(ExpiryText(caller))}},
                      .json = ToJson(caller),
                      .names = {Printable(caller.identity())}};
  };
  return AskFleet(cli, {.member = "caller", .columns = {"IDENTITY", "PROVEN BY", "SESSION", "EXPIRES"}, .ask = ask});
}

absl::Status WhoAmI(Cli& cli) {
  if (cli.OnFleet()) return WhoAmIOnFleet(cli);
  SOCKETEER_ASSIGN_OR_RETURN(const Host host, cli.Daemon());
  SOCKETEER_ASSIGN_OR_RETURN(const v1::Caller caller, host.GetCaller(cli.Calls()));
  if (cli.out().format() == Format::kName) return cli.out().Bytes(Printable(caller.identity()) + "\n");
  if (cli.out().IsStructured()) return cli.out().Message(caller);
  std::vector<std::vector<std::string>> rows = {{"Identity:", Printable(caller.identity())},
                                                {"Proven by:", ProofText(caller.proof())},
                                                {"Session:", Printable(caller.session())}};
  if (caller.has_certificate_expire_time()) rows.push_back({"Expires:", ExpiryText(caller)});
  return cli.out().Bytes(FormatTable(rows));
}

}  // namespace

void AddWhoAmI(CLI::App& app, Cli& cli) {
  CLI::App* verb = app.add_subcommand("whoami", "Ask who the daemon takes you for, and why");
  verb->footer("-o name prints the identity alone.");
  cli.SetFleetAction(verb, [&cli] { return WhoAmI(cli); });
}

}  // namespace socketeer::cli
