// --host and --hosts-file; --ca, --cert, --key, --token-file; and the variables that stand for them.
#include <cstdlib>
#include <optional>
#include <string>

#include "client/cli/arguments.h"
#include "client/cli/cli.h"
#include "socketeer/names.h"
#include "socketeer/status_macros.h"
#include "socketeer/text.h"

namespace socketeer::cli {
namespace {

struct Source {
  const std::optional<std::string>& given;
  const char* option;
  const char* variable;  // counts when the option is not given; null: never
};

// The path that an option or its variable names; "": neither is there. One that is there and empty, as of a script's
// variable that is not set, is refused: it must not turn TLS off.
absl::StatusOr<std::string> PathFrom(const Source& source) {
  if (source.given.has_value()) {
    if (source.given->empty()) return UsageError(std::string(source.option) + " is empty; it must be a file's path");
    return *source.given;
  }
  const char* const value = source.variable == nullptr ? nullptr : std::getenv(source.variable);
  if (value == nullptr) return std::string();
  if (*value == '\0') {
    return UsageError(std::string(source.variable) + " is empty; it must be a file's path, or not be set");
  }
  return std::string(value);
}

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

absl::StatusOr<HostEntry> Cli::Target() const {
  HostEntry host;
  if (!host_.has_value()) {
    SOCKETEER_ASSIGN_OR_RETURN(host.address, InArgument("--host", DefaultEndpoint()));
  } else {
    host.address = *host_;
  }
  if (!host_.has_value() || !CheckHostName(*host_).ok()) {
    if (!hosts_file_.has_value()) return host;
    return UsageError("--hosts-file goes with a NAME in --host" +
                      (host_.has_value() ? ", and " + Quoted(*host_) + " is an address" : ", which is not given"));
  }
  SOCKETEER_ASSIGN_OR_RETURN(std::string path, PathFrom({hosts_file_, "--hosts-file", "SOCKETEER_HOSTS_FILE"}));
  if (path.empty()) path = DefaultHostsFile();
  if (path.empty()) return host;
  SOCKETEER_ASSIGN_OR_RETURN(const HostsFile hosts, HostsFile::Load(path));
  absl::StatusOr<HostEntry> found = hosts.Find(*host_);
  if (found.ok()) return found;
  return UsageError("--host: " + std::string(found.status().message()) + ". An address without a port is written " +
                    *host_ + ":7625");
}

absl::StatusOr<Credentials> Cli::CredentialsFor(const HostEntry& host) const {
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
  CredentialFiles files;
  SOCKETEER_ASSIGN_OR_RETURN(files.token_file, PathFrom({given.token_file, "--token-file", "SOCKETEER_TOKEN_FILE"}));
  SOCKETEER_ASSIGN_OR_RETURN(files.ca, PathFrom({given.ca, "--ca", over_unix ? nullptr : "SOCKETEER_CA"}));
  SOCKETEER_ASSIGN_OR_RETURN(files.cert,
                             PathFrom({given.cert, "--cert", over_unix || own_given ? nullptr : "SOCKETEER_CERT"}));
  SOCKETEER_ASSIGN_OR_RETURN(files.key,
                             PathFrom({given.key, "--key", over_unix || own_given ? nullptr : "SOCKETEER_KEY"}));
  if (files.token_file.empty() && !own_given) files.token_file = host.credentials.token_file;
  if (files.ca.empty()) files.ca = host.credentials.ca;
  if (files.cert.empty() && files.key.empty()) {
    files.cert = host.credentials.cert;
    files.key = host.credentials.key;
  }
  return ReadCredentials(files);
}

}  // namespace socketeer::cli
