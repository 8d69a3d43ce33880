#include "socketeer/credentials.h"

#include <openssl/err.h>

#include <algorithm>
#include <string_view>

#include "client/lib/file.h"
#include "client/lib/pem.h"
#include "socketeer/status_macros.h"
#include "socketeer/text.h"

namespace socketeer {
namespace {

constexpr size_t kMaxFileBytes = 4 << 20;
// With everything around it in the metadata of a call, for which gRPC allows 8 KiB.
constexpr size_t kMaxTokenBytes = 4'096;

using internal::Guard;
using internal::Unfit;

absl::StatusOr<std::string> ReadWhole(const std::string& path, Guard guard) {
  if (path.empty()) return std::string();
  return internal::ReadFile(path, guard, kMaxFileBytes);
}

absl::StatusOr<std::string> ReadToken(const std::string& path) {
  if (path.empty()) return std::string();
  SOCKETEER_ASSIGN_OR_RETURN(const std::string text, ReadWhole(path, Guard::kPrivate));
  constexpr std::string_view kBlanks = " \t\r\n";
  const size_t begin = text.find_first_not_of(kBlanks);
  if (begin == text.npos) return Unfit(path, "holds no token");
  const std::string token = text.substr(begin, text.find_last_not_of(kBlanks) + 1 - begin);
  // What it is, is not repeated.
  if (token.size() > kMaxTokenBytes) return Unfit(path, "the token is longer than 4096 bytes");
  const bool visible = std::all_of(token.begin(), token.end(), [](char c) { return c > ' ' && c < '\x7f'; });
  if (!visible) return Unfit(path, "must hold one token, of printable ASCII without blanks");
  return token;
}

absl::Status CheckPair(const CredentialFiles& files, const Credentials& credentials) {
  const auto certificates = internal::CertificatesIn(credentials.cert);
  if (certificates.empty()) return Unfit(files.cert, "holds no certificate in PEM");
  const internal::KeyPtr key = internal::KeyIn(credentials.key);
  if (key == nullptr) return Unfit(files.key, "holds no private key in PEM, or it needs a password");
  const bool fits = X509_check_private_key(certificates.front().get(), key.get()) == 1;
  ERR_clear_error();
  return fits ? absl::OkStatus() : Unfit(files.key, "is not the key of the certificate in " + Printable(files.cert));
}

}  // namespace

absl::StatusOr<Credentials> ReadCredentials(const CredentialFiles& files) {
  if (files.cert.empty() != files.key.empty()) {
    return Unfit(files.cert + files.key, "a certificate and its key are needed together");
  }
  if (!files.cert.empty() && files.ca.empty()) {
    return Unfit(files.cert, "a certificate is for TLS only, which needs the daemon's CA");
  }
  Credentials credentials;
  SOCKETEER_ASSIGN_OR_RETURN(credentials.ca, ReadWhole(files.ca, Guard::kTrusted));
  if (!files.ca.empty() && internal::CertificatesIn(credentials.ca).empty()) {
    return Unfit(files.ca, "holds no certificate in PEM");
  }
  SOCKETEER_ASSIGN_OR_RETURN(credentials.cert, ReadWhole(files.cert, Guard::kNone));
  SOCKETEER_ASSIGN_OR_RETURN(credentials.key, ReadWhole(files.key, Guard::kPrivate));
  if (!files.cert.empty()) SOCKETEER_RETURN_IF_ERROR(CheckPair(files, credentials));
  SOCKETEER_ASSIGN_OR_RETURN(credentials.token, ReadToken(files.token_file));
  return credentials;
}

}  // namespace socketeer
