// What callers' identities rest on at the daemon: its certificates, its tokens, and that both may change while it
// serves.
#pragma once

#include <memory>
#include <string>

#include "server/net/event_loop.h"
#include "server/rpc/identities.h"
#include "server/rpc/log.h"
#include "server/rpc/tls.h"

namespace socketeer::rpc {

struct CredentialSettings {
  TlsFiles tls{};
  std::string token_file{};  // empty: there are no tokens
};

// On the control loop's thread, if not said otherwise.
class Credentials {
 public:
  // Reads all files. Errors are for the operator: one line. The loop, the connections and the clock must outlive this,
  // and the loop be stopped before it goes.
  static base::Result<std::unique_ptr<Credentials>> Create(const CredentialSettings& settings, net::EventLoop& control,
                                                           Connections& connections, const base::Clock& clock, Log log);

  Identities& identities() { return identities_; }
  // Null: no TLS.
  const Tls* tls() const { return tls_.get(); }

  // Looks after the files and the callers' certificates from now on. Any thread.
  void Start();
  // Takes the token file as it is now, or says why not and leaves everything as it was. Any thread, one at a time.
  void ReloadTokens();

 private:
  Credentials(const CredentialSettings& settings, net::EventLoop& control, Connections& connections,
              const base::Clock& clock, Log log);
  void LookAtFilesLater();
  void LookAtProofsLater();

  const CredentialSettings settings_;
  net::EventLoop& control_;
  const base::Clock& clock_;
  const Log log_;
  Identities identities_;
  std::unique_ptr<Tls> tls_;
};

}  // namespace socketeer::rpc
