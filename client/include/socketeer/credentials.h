// What a caller shows a daemon, and by what it knows the daemon.
#pragma once

#include <string>

#include "absl/status/statusor.h"

namespace socketeer {

// With a CA the connection is TLS, and the daemon must have a certificate of that CA for the host's name or address.
// Over a daemon's UNIX socket there is no TLS: the kernel says who calls, if no token does.
struct Credentials {
  // PEM texts; empty: none.
  std::string ca{};
  // Together, and with a CA: the caller's own certificate, which says who it is.
  std::string cert{};
  std::string key{};
  // Sent with every call, over TLS or a UNIX socket only. It counts before the certificate.
  std::string token{};
};

// Paths; empty: none.
struct CredentialFiles {
  std::string ca{};
  std::string cert{};
  std::string key{};
  std::string token_file{};
};

// Reads and checks them; blanks around a token are no part of it. INVALID_ARGUMENT, which begins with the file's path,
// when one cannot be read, holds something else, certificate and key do not belong together, or another user may read
// or write the key or the token, whose files must be this user's or root's.
absl::StatusOr<Credentials> ReadCredentials(const CredentialFiles& files);

}  // namespace socketeer
