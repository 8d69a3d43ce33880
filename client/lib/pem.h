// OpenSSL's objects from PEM texts. Private to the library.
#pragma once

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <memory>
#include <string_view>
#include <vector>

namespace socketeer::internal {

struct OpenSslFree {
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
using X509Ptr = std::unique_ptr<X509, OpenSslFree>;
using KeyPtr = std::unique_ptr<EVP_PKEY, OpenSslFree>;

// All certificates of a text; none when one of them is broken.
std::vector<X509Ptr> CertificatesIn(std::string_view pem);
// Null when there is none that can be read without a password.
KeyPtr KeyIn(std::string_view pem);

}  // namespace socketeer::internal
