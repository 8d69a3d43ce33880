// Certificates for tests, with any names and any time of validity.
#pragma once

#include <gtest/gtest.h>
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <string>
#include <utility>

namespace socketeer::testing {

// Threads of gRPC's with TLS outlive main(): as in client/cli/main.cc.
inline const bool kOpenSslStays = OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, nullptr) == 1;

// In PEM.
struct TestPair {
  std::string cert;
  std::string key;
};

// From now, which is the host's.
struct Validity {
  std::chrono::seconds begin{-3600};
  std::chrono::seconds end{86'400};
};

// A CA, and what it issues. Not thread-safe.
class TestAuthority {
 public:
  explicit TestAuthority(std::string name = "test CA")
      : name_(std::move(name)), key_(EVP_EC_gen("P-256"), EVP_PKEY_free), cert_(Make("", key_.get(), Validity{})) {}

  std::string cert() const { return Pem(cert_.get()); }

  // `san` and `usage` as OpenSSL writes them, "URI:spiffe://lab/a,DNS:b", "clientAuth"; empty: none.
  TestPair Issue(const std::string& san, Validity validity = {}, const std::string& usage = "") const {
    const KeyPtr key(EVP_EC_gen("P-256"), EVP_PKEY_free);
    const CertPtr cert = Make(san, key.get(), validity, usage);
    TestPair pair{.cert = Pem(cert.get()), .key = ""};
    BIO* const bio = BIO_new(BIO_s_mem());
    PEM_write_bio_PrivateKey(bio, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
    pair.key = Taken(bio);
    return pair;
  }

 private:
  using KeyPtr = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
  using CertPtr = std::unique_ptr<X509, decltype(&X509_free)>;

  static std::string Taken(BIO* bio) {
    char* data = nullptr;
    const long size = BIO_get_mem_data(bio, &data);
    std::string text(data, static_cast<size_t>(size));
    BIO_free(bio);
    return text;
  }
  static std::string Pem(X509* cert) {
    BIO* const bio = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(bio, cert);
    return Taken(bio);
  }
  static void Extend(X509* cert, int kind, const std::string& value) {
    X509_EXTENSION* const extension = X509V3_EXT_conf_nid(nullptr, nullptr, kind, value.c_str());
    if (extension == nullptr) {
      ADD_FAILURE() << "no extension: " << value;
      std::abort();
    }
    X509_add_ext(cert, extension, -1);
    X509_EXTENSION_free(extension);
  }
  // The first one is the CA's own.
  CertPtr Make(const std::string& san, EVP_PKEY* key, Validity validity, const std::string& usage = "") const {
    const bool own = key == key_.get();
    CertPtr cert(X509_new(), X509_free);
    X509_set_version(cert.get(), X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(cert.get()), ++serial_);
    X509_gmtime_adj(X509_getm_notBefore(cert.get()), validity.begin.count());
    X509_gmtime_adj(X509_getm_notAfter(cert.get()), validity.end.count());
    const auto* const name = reinterpret_cast<const unsigned char*>(own ? name_.c_str() : "a test");
    X509_NAME_add_entry_by_txt(X509_get_subject_name(cert.get()), "CN", MBSTRING_ASC, name, -1, -1, 0);
    X509_set_issuer_name(cert.get(), X509_get_subject_name(own ? cert.get() : cert_.get()));
    X509_set_pubkey(cert.get(), key);
    Extend(cert.get(), NID_basic_constraints, own ? "critical,CA:TRUE" : "CA:FALSE");
    if (!san.empty()) Extend(cert.get(), NID_subject_alt_name, san);
    if (!usage.empty()) Extend(cert.get(), NID_ext_key_usage, usage);
    X509_sign(cert.get(), key_.get(), EVP_sha256());
    return cert;
  }

  const std::string name_;
  mutable long serial_ = 0;
  KeyPtr key_;
  CertPtr cert_;
};

// For this user alone, as a key must be.
inline std::string WriteFile(const std::string& path, const std::string& text) {
  std::ofstream(path) << text;
  chmod(path.c_str(), 0600);
  return path;
}

}  // namespace socketeer::testing
