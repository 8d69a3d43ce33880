#include "server/rpc/credentials.h"

#include <utility>

namespace socketeer::rpc {
namespace {

// With that a call whose proof ends is over within two seconds: told within half of one, cut off within one and a half
// more if it does not heed that.
constexpr std::chrono::milliseconds kProofLookInterval{500};

}  // namespace

Credentials::Credentials(const CredentialSettings& settings, net::EventLoop& control, Connections& connections,
                         const base::Clock& clock, Log log)
    : settings_(settings),
      control_(control),
      clock_(clock),
      log_(log ? std::move(log) : [](Severity, const std::string&) {}),
      identities_(connections, clock) {}

base::Result<std::unique_ptr<Credentials>> Credentials::Create(const CredentialSettings& settings,
                                                               net::EventLoop& control, Connections& connections,
                                                               const base::Clock& clock, Log log) {
  std::unique_ptr<Credentials> made(new Credentials(settings, control, connections, clock, std::move(log)));
  if (!settings.token_file.empty()) {
    auto tokens = ReadTokenFile(settings.token_file);
    if (!tokens.ok()) return std::move(tokens).error();
    made->identities_.SetTokens(*std::move(tokens));
  }
  if (settings.tls.given()) {
    // Who has a token needs no certificate.
    auto tls = Tls::Create(settings.tls, settings.token_file.empty(), clock, made->log_,
                           [&identities = made->identities_](const std::string& pem) { identities.SetClientCas(pem); });
    if (!tls.ok()) return std::move(tls).error();
    made->tls_ = *std::move(tls);
  }
  return made;
}

void Credentials::Start() {
  if (tls_) control_.Post([this] { LookAtFilesLater(); });
  // Without either no identity has an end.
  if (tls_ || !settings_.token_file.empty()) control_.Post([this] { LookAtProofsLater(); });
}

void Credentials::LookAtFilesLater() {
  control_.RunAt(clock_.Now() + kTlsLookInterval, [this] {
    tls_->LookAtFiles();
    LookAtFilesLater();
  });
}

void Credentials::LookAtProofsLater() {
  control_.RunAt(clock_.Now() + kProofLookInterval, [this] {
    identities_.EndExpired();
    LookAtProofsLater();
  });
}

void Credentials::ReloadTokens() {
  if (settings_.token_file.empty()) return;
  auto tokens = ReadTokenFile(settings_.token_file);
  if (!tokens.ok()) {
    return log_(Severity::kError, tokens.error().message + "; the tokens before it stay in force");
  }
  const size_t count = tokens->size();
  identities_.SetTokens(*std::move(tokens));
  log_(Severity::kInfo, "token_file " + settings_.token_file + ": " + std::to_string(count) + " tokens are in force");
}

}  // namespace socketeer::rpc
