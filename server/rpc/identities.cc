#include "server/rpc/identities.h"

#include <grpc/grpc_security_constants.h>
#include <grpcpp/security/auth_context.h>

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

namespace socketeer::rpc {
namespace {

std::string_view ViewOf(const grpc::string_ref& text) { return {text.data(), text.size()}; }

// "Bearer TOKEN", the scheme in any case (RFC 9110); "" when it is nothing of the sort.
std::string_view TokenIn(std::string_view authorization) {
  constexpr std::string_view kScheme = "bearer ";
  if (authorization.size() <= kScheme.size()) return "";
  const auto same = [](char given, char wanted) { return given == wanted || (given | 0x20) == wanted; };
  if (!std::equal(kScheme.begin(), kScheme.end(), authorization.begin(),
                  [&](char wanted, char given) { return same(given, wanted); })) {
    return "";
  }
  authorization.remove_prefix(kScheme.size());
  authorization.remove_prefix(std::min(authorization.find_first_not_of(' '), authorization.size()));
  return authorization;
}

// The certificates beside the caller's own that it showed, in PEM.
std::string ChainIn(const grpc::AuthContext& context) {
  const auto found = context.FindPropertyValues(GRPC_X509_PEM_CERT_CHAIN_PROPERTY_NAME);
  return found.empty() ? "" : std::string(ViewOf(found.front()));
}

void Refuse(Caller* caller, base::Error why) {
  caller->identity.clear();
  caller->refused = std::move(why);
}

std::string IdentityOf(const TokenEntry& entry) { return "token:" + entry.name; }

BasisPtr BasisOf(const Caller& caller) {
  Basis basis{.identity = caller.identity, .expires = caller.expires, .token = {}, .certificate = caller.certificate};
  if (caller.proof == Proof::kToken) basis.token = caller.token;
  return std::make_shared<const Basis>(std::move(basis));
}

}  // namespace

Caller Identities::CallerOf(const grpc::CallbackServerContext& context) {
  Peer peer = connections_.PeerOf(context.peer());
  Caller caller{.identity = std::move(peer.identity), .connection = peer.connection, .over_limit = peer.over_limit};
  caller.address = std::move(peer.address);
  if (peer.transport == Transport::kUnknown) return caller;
  if (peer.transport == Transport::kUnix) caller.proof = Proof::kUid;
  if (peer.transport == Transport::kTls) ReadCertificate(context, &caller);
  const bool expired = caller.expires && *caller.expires <= clock_.WallNow();
  if (expired) {
    Refuse(&caller, base::CertificateExpired(TextOf(*caller.expires)));
  } else if (caller.expires && !caller.certificate) {
    Refuse(&caller, base::IdentityRemoved());
  } else if (context.client_metadata().contains(kAuthorizationMetadata)) {
    ReadToken(context, peer.transport, &caller);
  }
  if (!peer.proven && !caller.refused && !caller.identity.empty()) connections_.Prove(peer.connection);
  return caller;
}

void Identities::ReadCertificate(const grpc::CallbackServerContext& context, Caller* caller) {
  const auto found = context.auth_context()->FindPropertyValues(GRPC_X509_PEM_CERT_PROPERTY_NAME);
  if (found.empty()) return Refuse(caller, base::CredentialsMissing());
  const std::string_view leaf = ViewOf(found.front());
  if (const auto cas = roots().cas) {
    caller->certificate = cas->Find(leaf, [&context] { return ChainIn(*context.auth_context()); });
  }
  CertificateFacts facts = certificates_.FactsOf(leaf);
  caller->expires = facts.expires;
  caller->proof = Proof::kCertificate;
  caller->identity = std::move(facts.identity);
  if (caller->identity.empty()) caller->refused = base::CertificateWithoutIdentity();
}

void Identities::ReadToken(const grpc::CallbackServerContext& context, Transport transport, Caller* caller) {
  // Whoever listens on the way has read it.
  if (transport == Transport::kPlainTcp) return Refuse(caller, base::TokenInPlainText());
  const auto [first, end] = context.client_metadata().equal_range(kAuthorizationMetadata);
  const std::string_view token = std::next(first) == end ? TokenIn(ViewOf(first->second)) : "";
  if (token.empty()) return Refuse(caller, base::TokenUnknown("authorization must be one, and be Bearer TOKEN"));
  const std::shared_ptr<const TokenTable> known = roots().tokens;
  caller->token = HashOf(token);
  const TokenEntry* const entry = FindToken(*known, caller->token);
  if (entry == nullptr) return Refuse(caller, base::TokenUnknown("the token is none of this daemon's"));
  caller->identity = IdentityOf(*entry);
  caller->proof = Proof::kToken;
  caller->refused.reset();  // what the connection lacks it need not prove
}

Identities::Roots Identities::roots() {
  std::lock_guard lock(mutex_);
  return roots_;
}

bool Identities::IsRemoved(const Basis& basis, const Roots& roots) {
  if (basis.certificate) {
    const auto chain = [&basis] { return basis.certificate->chain; };
    if (!roots.cas || !roots.cas->Find(basis.certificate->leaf, chain)) return true;
  }
  if (!basis.token) return false;
  const TokenEntry* const entry = FindToken(*roots.tokens, *basis.token);
  return entry == nullptr || IdentityOf(*entry) != basis.identity;  // renamed, it is somebody else's
}

base::Status Identities::Watch(uint64_t call, const Caller& caller, std::shared_ptr<Cancellation> cancellation,
                               ProofWatch::Keep keep) {
  const BasisPtr basis = BasisOf(caller);
  if (!basis->may_end()) return base::Ok();
  // Watched first, then looked at: what is removed between is seen by one or the other.
  watch_.Add(call, basis, std::move(cancellation), std::move(keep));
  if (IsRemoved(*basis, roots())) return base::IdentityRemoved();
  return base::Ok();
}

void Identities::Unwatch(uint64_t call, const Caller& caller) {
  if (caller.certificate || caller.proof == Proof::kToken) watch_.Remove(call);
}

void Identities::SetRoots(const std::function<void(Roots&)>& change) {
  Roots now;
  {
    std::lock_guard lock(mutex_);
    change(roots_);
    now = roots_;
  }
  watch_.End([&now](const Basis& basis) -> std::optional<base::Error> {
    if (!IsRemoved(basis, now)) return std::nullopt;
    return base::IdentityRemoved();
  });
}

void Identities::SetTokens(TokenTable table) {
  SetRoots([&table](Roots& roots) { roots.tokens = std::make_shared<const TokenTable>(std::move(table)); });
}

void Identities::SetClientCas(std::string_view pem) {
  const auto cas = std::make_shared<ClientCas>(pem);
  SetRoots([&cas](Roots& roots) { roots.cas = cas; });
}

void Identities::EndExpired() {
  watch_.CutOff();
  watch_.End([now = clock_.WallNow()](const Basis& basis) -> std::optional<base::Error> {
    if (!basis.expires || *basis.expires > now) return std::nullopt;
    return base::CertificateExpired(TextOf(*basis.expires));
  });
}

}  // namespace socketeer::rpc
