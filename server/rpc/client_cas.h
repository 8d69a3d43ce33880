// The CAs that callers' certificates must lead to, as they are now.
//
// The handshake looks at that too, but once: whoever is connected, or resumes his TLS session, does not come to it
// again when a CA is removed.
#pragma once

#include <openssl/x509.h>

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

namespace socketeer::rpc {

// What a caller showed in the handshake, in PEM.
struct ShownCertificate {
  std::string leaf;
  std::string chain;  // what leads to a CA; a session that is resumed shows none
};
using ShownCertificatePtr = std::shared_ptr<const ShownCertificate>;

// Thread-safe.
class ClientCas {
 public:
  // Of what is no certificate in it, nothing counts.
  explicit ClientCas(std::string_view pem);

  // Null: it leads to none of them, or is not for callers. `chain` is asked for only when the certificate is new here.
  // Its time is not looked at.
  ShownCertificatePtr Find(std::string_view leaf, const std::function<std::string()>& chain);
  bool Trusts(const ShownCertificate& shown) const;

 private:
  struct FreeStore {
    void operator()(X509_STORE* store) const { X509_STORE_free(store); }
  };

  const std::unique_ptr<X509_STORE, FreeStore> store_;
  std::mutex mutex_;
  std::unordered_map<std::string_view, ShownCertificatePtr> trusted_;  // by leaf; guarded by mutex_
};

}  // namespace socketeer::rpc
