// The operator's certificate files, read and checked before anything serves by them.
#pragma once

#include <string>
#include <vector>

#include "server/base/clock.h"
#include "server/base/result.h"

namespace socketeer::rpc {

// Paths; `client_ca` is empty when callers show no certificates, all of them when there is no TLS.
struct TlsFiles {
  std::string cert{};
  std::string key{};
  std::string client_ca{};

  bool given() const { return !cert.empty() || !key.empty() || !client_ca.empty(); }
};

// What stood in them, in PEM, and nothing else that was there: gRPC would take the first certificate that it finds in a
// key's file for the key's.
struct TlsTexts {
  std::string cert{};  // with what leads to its CA
  std::string key{};
  std::string client_ca{};
};

// Reads all of them, or refuses all. A certificate must belong to the key, neither be over nor not yet valid at `now`,
// and be one that a handshake comes to an end with; each file must hold what it is for, and belong to this user or
// root; the key's file is for its owner alone, the others may be written by him alone. Errors are for the operator: one
// line, which begins with the setting and the file.
base::Result<TlsTexts> ReadTlsFiles(const TlsFiles& files, base::WallTime now);

// Tells whether files were replaced, written or given other rights since they were looked at last. Where a file is
// missing counts too.
std::string StampOf(const TlsFiles& files);

// A file of the operator's: an error of one line. `setting`: "tls_cert". It must belong to this user or root; nobody
// else may write it, nor, if it is private, read it.
enum class FileMode { kPublic, kPrivate };
base::Result<std::string> ReadOperatorFile(const std::string& setting, const std::string& path, FileMode mode);

}  // namespace socketeer::rpc
