// Who makes a call, and how that was proven; and the end of calls whose proof is no longer good.
#pragma once

#include <grpcpp/support/server_callback.h>

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "server/base/clock.h"
#include "server/rpc/cancellation.h"
#include "server/rpc/certificate.h"
#include "server/rpc/client_cas.h"
#include "server/rpc/connections.h"
#include "server/rpc/proof_watch.h"
#include "server/rpc/token_file.h"

namespace socketeer::rpc {

// The metadata with "Bearer TOKEN".
inline constexpr char kAuthorizationMetadata[] = "authorization";

// The numbers are socketeer.v1.Proof's.
enum class Proof { kNone = 1, kUid = 2, kCertificate = 3, kToken = 4 };

struct Caller {
  std::string identity;  // "": it is refused
  Proof proof = Proof::kNone;
  uint64_t connection = 0;
  bool over_limit = false;
  std::shared_ptr<const std::string> address{};  // where it calls from; null: nobody knows
  std::optional<base::WallTime> expires{};       // of the certificate that the connection was made with
  TokenHash token{};                             // with kToken
  ShownCertificatePtr certificate{};             // of the connection, if its CA is still one of ours
  std::optional<base::Error> refused{};          // why it is nobody
};

// Thread-safe.
class Identities {
 public:
  // Both must outlive this.
  Identities(Connections& connections, const base::Clock& clock)
      : connections_(connections), clock_(clock), watch_(clock) {}

  // Looked up anew for each call: a token's, if there is one, else what the connection proves. A token that cannot be
  // believed is never passed over.
  Caller CallerOf(const grpc::CallbackServerContext& context);

  // From now on the call is cancelled when its caller's certificate expires, or its CA or token is removed, and cut off
  // if it does not end by that; an error when that has happened. No effect for a caller who has neither.
  base::Status Watch(uint64_t call, const Caller& caller, std::shared_ptr<Cancellation> cancellation,
                     ProofWatch::Keep keep);
  void Unwatch(uint64_t call, const Caller& caller);

  // These and no others count from now on; calls by one that is missing, or has another name, end.
  void SetTokens(TokenTable table);
  // The same with CAs, in PEM.
  void SetClientCas(std::string_view pem);
  // Ends the calls whose certificate expired, and cuts off those that were told to end and did not.
  void EndExpired();

 private:
  void ReadCertificate(const grpc::CallbackServerContext& context, Caller* caller);
  void ReadToken(const grpc::CallbackServerContext& context, Transport transport, Caller* caller);
  // What identities rest on, now.
  struct Roots {
    std::shared_ptr<const TokenTable> tokens = std::make_shared<TokenTable>();
    std::shared_ptr<ClientCas> cas{};  // null: no certificate counts
  };
  Roots roots();
  void SetRoots(const std::function<void(Roots&)>& change);
  static bool IsRemoved(const Basis& basis, const Roots& roots);

  Connections& connections_;
  const base::Clock& clock_;
  CertificateCache certificates_;
  ProofWatch watch_;
  std::mutex mutex_;
  Roots roots_;  // guarded by mutex_
};

}  // namespace socketeer::rpc
