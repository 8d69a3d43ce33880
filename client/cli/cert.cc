// cert: certificates for a lab.
#include <memory>
#include <string>
#include <vector>

#include "client/cli/arguments.h"
#include "client/cli/cert_maker.h"
#include "client/cli/verbs.h"
#include "socketeer/status_macros.h"
#include "socketeer/text.h"

namespace socketeer::cli {
namespace {

constexpr uint32_t kMaxDays = 3'650;

constexpr char kCertFooter[] =
    R"(For a lab: whoever has DIR/ca.key can be anybody. If DIR has a CA already, it issues the others; no file is
overwritten. Valid for 30 days, or --days.

Examples:
  socketeer cert lab --host localhost --client alice
  socketeerd --listen 127.0.0.1:7625 --tls-cert lab/localhost.pem --tls-key lab/localhost.key --client-ca lab/ca.pem
  socketeer --host localhost --ca lab/ca.pem --cert lab/alice.pem --key lab/alice.key whoami)";

struct CertArguments {
  std::string directory;
  std::vector<std::string> hosts;
  std::vector<std::string> clients;
  std::string days = "30";
};

std::string JsonText(const std::string& text) {
  std::string quoted = "\"";
  for (const char c : Printable(text)) quoted += (c == '"' || c == '\\') ? std::string{'\\', c} : std::string(1, c);
  return quoted + "\"";
}

absl::Status MakeAndPrint(Cli& cli, const CertArguments& arguments) {
  SOCKETEER_RETURN_IF_ERROR(cli.out().RefuseName());
  if (arguments.directory.empty()) return UsageError("DIR is empty; it must be a directory's path");
  CertOrder order{.hosts = arguments.hosts, .clients = arguments.clients};
  SOCKETEER_ASSIGN_OR_RETURN(const uint32_t days, ParseCount("--days", arguments.days, 1, kMaxDays));
  order.valid = absl::Hours(24) * days;
  SOCKETEER_ASSIGN_OR_RETURN(const std::vector<MadeCert> made, MakeCerts(arguments.directory, order));
  std::vector<std::vector<std::string>> rows;
  std::string json;
  for (const MadeCert& each : made) {
    rows.push_back({Printable(each.cert), Printable(each.key), each.meaning});
    json += (json.empty() ? "" : ",");
    json += "{\"cert\":" + JsonText(each.cert) + ",\"key\":" + JsonText(each.key) +
            ",\"meaning\":" + JsonText(each.meaning) + "}";
  }
  if (cli.out().IsStructured()) return cli.out().Json("{\"certificates\":[" + json + "]}");
  return cli.out().Bytes(FormatTable(rows));
}

}  // namespace

void AddCert(CLI::App& app, Cli& cli) {
  auto arguments = std::make_shared<CertArguments>();
  CLI::App* verb = app.add_subcommand("cert", "Make a throw-away CA and certificates, for a lab");
  verb->footer(kCertFooter);
  verb->add_option("DIR", arguments->directory, "Where to; made if it is missing")->required()->type_name("");
  AddRepeated(verb, "--host", arguments->hosts, "A daemon's name or address; localhost means 127.0.0.1 and ::1 too")
      ->type_name("NAME");
  AddRepeated(verb, "--client", arguments->clients, "A caller, who will be spiffe://socketeer/NAME")->type_name("NAME");
  verb->add_option("--days", arguments->days, "How long they are valid: 1 to 3650; default: 30")->type_name("N");
  cli.SetAction(verb, [&cli, arguments] { return MakeAndPrint(cli, *arguments); });
}

}  // namespace socketeer::cli
