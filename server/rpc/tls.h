// The daemon's side of TLS: gRPC's credentials, by certificate files that may be replaced while it serves.
//
// gRPC watches files by itself, but frees what it serves by before it knows whether the new ones are any good. So it
// gets memory files instead, into which goes only what has been read whole and checked.
#pragma once

#include <grpcpp/security/server_credentials.h>

#include <functional>
#include <memory>
#include <string>

#include "server/base/clock.h"
#include "server/base/fd.h"
#include "server/base/result.h"
#include "server/rpc/log.h"
#include "server/rpc/tls_files.h"

namespace socketeer::rpc {

// A caller that has not finished its handshake by then is cut off. It takes two round trips and some milliseconds.
inline constexpr std::chrono::seconds kHandshakeLimit{5};
// How often the files are looked at; gRPC looks at its own as often, so a new certificate is served within twice that,
// and the moment it takes.
inline constexpr std::chrono::seconds kTlsLookInterval{1};

class Tls {
 public:
  // Errors as ReadTlsFiles(). `certificate_required`: a caller without one is refused in the handshake. `on_client_ca`
  // is told of the callers' CAs, here and whenever they change, before the handshake knows them. `clock` must outlive
  // this.
  using OnClientCa = std::function<void(const std::string& pem)>;
  static base::Result<std::unique_ptr<Tls>> Create(const TlsFiles& files, bool certificate_required,
                                                   const base::Clock& clock, Log log, OnClientCa on_client_ca);

  const std::shared_ptr<grpc::ServerCredentials>& credentials() const { return credentials_; }

  // Serves by the files as they are now if they changed. Wrong ones change nothing, are told of when what is wrong is
  // another thing than before, and tried again each time. One thread at a time.
  void LookAtFiles();

 private:
  Tls(const TlsFiles& files, const base::Clock& clock, Log log, OnClientCa on_client_ca);
  base::Status Publish(const TlsTexts& texts);

  const TlsFiles files_;
  const base::Clock& clock_;
  const Log log_;
  const OnClientCa on_client_ca_;
  std::string stamp_;
  std::string client_ca_text_;
  std::string refusal_;  // what was wrong when it looked last; "": nothing
  int64_t generation_ = 0;
  base::Fd pair_;  // key and certificates in one file, so that they change at once
  base::Fd client_ca_;
  std::shared_ptr<grpc::ServerCredentials> credentials_;
};

}  // namespace socketeer::rpc
