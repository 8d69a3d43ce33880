// whoami: who the daemon takes the caller for.
#include <string>
#include <vector>

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

absl::Status WhoAmI(Cli& cli) {
  SOCKETEER_ASSIGN_OR_RETURN(const Host host, cli.Daemon());
  SOCKETEER_ASSIGN_OR_RETURN(const v1::Caller caller, host.GetCaller(cli.Calls()));
  if (cli.out().format() == Format::kName) return cli.out().Bytes(Printable(caller.identity()) + "\n");
  if (cli.out().IsStructured()) return cli.out().Message(caller);
  std::vector<std::vector<std::string>> rows = {{"Identity:", Printable(caller.identity())},
                                                {"Proven by:", ProofText(caller.proof())},
                                                {"Session:", Printable(caller.session())}};
  if (caller.has_certificate_expire_time()) {
    rows.push_back({"Expires:", google::protobuf::util::TimeUtil::ToString(caller.certificate_expire_time())});
  }
  return cli.out().Bytes(FormatTable(rows));
}

}  // namespace

void AddWhoAmI(CLI::App& app, Cli& cli) {
  CLI::App* verb = app.add_subcommand("whoami", "Ask who the daemon takes you for, and why");
  verb->footer("-o name prints the identity alone.");
  cli.SetAction(verb, [&cli] { return WhoAmI(cli); });
}

}  // namespace socketeer::cli
