// A throw-away CA and the certificates that it issues, as files.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace socketeer::cli {

struct CertOrder {
  std::vector<std::string> hosts;    // names or addresses of daemons
  std::vector<std::string> clients;  // each will be spiffe://socketeer/NAME
  absl::Duration valid = absl::Hours(24 * 30);
};

struct MadeCert {
  std::string cert;  // paths
  std::string key;
  std::string meaning;  // "the CA", "daemon 10.0.0.1", "spiffe://socketeer/alice"
};

// Into `directory`, which is made if it is missing: ca.pem and ca.key, and NAME.pem and NAME.key for each host and
// client (a colon in NAME is a '-' there). A CA that is there already issues the others. Keys have mode 0600. Never
// overwrites: if a file is there, or anything fails, it leaves nothing of its own behind and says which file.
absl::StatusOr<std::vector<MadeCert>> MakeCerts(const std::string& directory, const CertOrder& order);

}  // namespace socketeer::cli
