// Certificates as OpenSSL reads them: whose they are, and until when.
#pragma once

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "server/base/clock.h"

namespace socketeer::rpc {

struct FreeCertificate {
  void operator()(X509* certificate) const { X509_free(certificate); }
};
struct FreePrivateKey {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
using CertificatePtr = std::unique_ptr<X509, FreeCertificate>;
using PrivateKeyPtr = std::unique_ptr<EVP_PKEY, FreePrivateKey>;

// Every certificate in a text; other things in it are passed over. Empty as well when one of them is broken.
std::vector<CertificatePtr> ReadCertificates(std::string_view pem);
// The first key in it; null when there is none that can be read without a password.
PrivateKeyPtr ReadPrivateKey(std::string_view pem);

// In PEM, and nothing beside.
std::string PemOf(const std::vector<CertificatePtr>& certificates);
std::string PemOf(const EVP_PKEY* key);  // without a password

base::WallTime BeginOf(const X509* certificate);
base::WallTime ExpiryOf(const X509* certificate);
// "2026-11-22T18:10:45Z".
std::string TextOf(base::WallTime time);

// What a caller's certificate says of it.
struct CertificateFacts {
  std::string identity;  // empty: it names nobody, or not so that it could be told from another sort of identity
  base::WallTime expires;
};

// The SAN URI as it is, "spiffe://lab/agent"; else the SAN DNS as "dns:agent.lab"; of several the first. One that
// cannot be an identity (certificate_name.h) counts as none, and nothing beside it counts in its stead.
CertificateFacts FactsOf(std::string_view pem);

// The same for certificates that come again and again. Thread-safe.
class CertificateCache {
 public:
  CertificateFacts FactsOf(std::string_view pem);

 private:
  struct Entry {
    std::string pem;
    CertificateFacts facts;
  };
  std::mutex mutex_;
  std::list<Entry> entries_;  // the one used last in front; guarded by mutex_
  std::unordered_map<std::string_view, std::list<Entry>::iterator> by_pem_;  // guarded by mutex_
};

}  // namespace socketeer::rpc
