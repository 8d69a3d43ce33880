// --ca, --cert, --key, --token-file; and the variables that stand for them.
#include <string>

#include "client/cli/arguments.h"
#include "client/cli/cli.h"
#include "socketeer/status_macros.h"

namespace socketeer::cli {
namespace {

bool IsUnix(const std::string& endpoint) {
  return endpoint.starts_with("unix:") || endpoint.starts_with("/") || endpoint.starts_with("./") ||
         endpoint.starts_with("../");
}

}  // namespace

void Cli::AddCredentialOptions(CLI::App& app) {
  AddOptional(&app, "--ca", credentials_.ca,
              "TLS: the CA that the daemon's certificate must come from, or SOCKETEER_CA")
      ->type_name("FILE");
  AddOptional(&app, "--cert", credentials_.cert, "The certificate that says who you are, or SOCKETEER_CERT")
      ->type_name("FILE");
  AddOptional(&app, "--key", credentials_.key, "Its private key, or SOCKETEER_KEY")->type_name("FILE");
  AddOptional(&app, "--token-file", credentials_.token_file,
              "A file with the token that says who you are, or SOCKETEER_TOKEN_FILE")
      ->type_name("FILE");
}

absl::StatusOr<Credentials> Cli::CredentialsFor(const HostEntry& host, bool one_of_many) const {
  const CredentialOptions& given = credentials_;
  const bool over_unix = IsUnix(host.address);
  const bool tls_given = given.ca.has_value() || given.cert.has_value() || given.key.has_value();
  // The variables are for daemons elsewhere; what stands on the command line is meant for this one.
  if (over_unix && tls_given) {
    return UsageError("--ca, --cert and --key do not go with a UNIX socket, over which there is no TLS");
  }
  // A certificate and a key of two sources would seldom belong together; and the token of a hosts file would count
  // before the certificate that is named here.
  const bool own_given = given.cert.has_value() || given.key.has_value();
  // What is exported for one daemon must not be shown to all: on many hosts, one's own credentials come first.
  const CredentialFiles& own = host.credentials;
  const bool has_own = one_of_many && !(own.token_file.empty() && own.cert.empty() && own.key.empty());
  const auto variable = [&](const char* name, bool not_meant) { return not_meant || has_own ? nullptr : name; };
  CredentialFiles files;
  SOCKETEER_ASSIGN_OR_RETURN(files.token_file,
                             PathFrom({given.token_file, "--token-file", variable("SOCKETEER_TOKEN_FILE", false)}));
  SOCKETEER_ASSIGN_OR_RETURN(
      files.ca, PathFrom({given.ca, "--ca", over_unix || (one_of_many && !own.ca.empty()) ? nullptr : "SOCKETEER_CA"}));
  SOCKETEER_ASSIGN_OR_RETURN(files.cert,
                             PathFrom({given.cert, "--cert", variable("SOCKETEER_CERT", over_unix || own_given)}));
  SOCKETEER_ASSIGN_OR_RETURN(files.key,
                             PathFrom({given.key, "--key", variable("SOCKETEER_KEY", over_unix || own_given)}));
  if (files.token_file.empty() && !own_given) files.token_file = host.credentials.token_file;
  if (files.ca.empty()) files.ca = host.credentials.ca;
  if (files.cert.empty() && files.key.empty()) {
    files.cert = host.credentials.cert;
    files.key = host.credentials.key;
  }
  return ReadCredentials(files);
}

}  // namespace socketeer::cli
