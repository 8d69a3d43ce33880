#include "server/rpc/tls_files.h"

#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include "server/base/fd.h"
#include "server/rpc/certificate.h"
#include "server/rpc/trial_handshake.h"

namespace socketeer::rpc {
namespace {

// A chain and a bundle of CAs are some 100 KiB; who names a disk by mistake is told.
constexpr size_t kMaxOperatorFileBytes = 4 << 20;
constexpr mode_t kBeyondOwner = 0177;  // all but reading and writing by its owner
constexpr mode_t kWriteByOthers = 0022;

base::Error Wrong(const std::string& setting, const std::string& path, const std::string& why) {
  base::Error error;
  error.message = setting + " " + path + ": " + why;
  return error;
}

// Precondition: the certificates are at least one.
base::Status CheckValidNow(const X509* leaf, base::WallTime now, const std::string& path) {
  if (ExpiryOf(leaf) <= now) {
    return Wrong("tls_cert", path, "the certificate expired at " + TextOf(ExpiryOf(leaf)));
  }
  if (BeginOf(leaf) > now) {
    return Wrong("tls_cert", path, "the certificate is not valid before " + TextOf(BeginOf(leaf)));
  }
  return base::Ok();
}

// Checks certificate and key, and leaves them in `texts` as they were read.
base::Status CheckPair(const TlsFiles& files, base::WallTime now, TlsTexts* texts) {
  const std::vector<CertificatePtr> chain = ReadCertificates(texts->cert);
  if (chain.empty()) return Wrong("tls_cert", files.cert, "holds no certificate in PEM");
  const PrivateKeyPtr key = ReadPrivateKey(texts->key);
  if (!key) return Wrong("tls_key", files.key, "holds no private key in PEM, or it needs a password");
  const bool fits = X509_check_private_key(chain.front().get(), key.get()) == 1;
  ERR_clear_error();
  if (!fits) return Wrong("tls_key", files.key, "is not the key of the certificate in " + files.cert);
  if (auto status = CheckValidNow(chain.front().get(), now, files.cert); !status.ok()) return status;
  const bool serves = X509_check_purpose(chain.front().get(), X509_PURPOSE_SSL_SERVER, 0) == 1;
  ERR_clear_error();
  if (!serves)
    return Wrong("tls_cert", files.cert, "the certificate is not for a server: its key usages say otherwise");
  const std::string why = WhyNoHandshake(chain, key.get());
  if (!why.empty()) return Wrong("tls_cert", files.cert, "no TLS handshake is possible with it: " + why);
  texts->cert = PemOf(chain);
  texts->key = PemOf(key.get());
  return base::Ok();
}

// Of a file that is open.
base::Status CheckOwnerAndMode(const struct stat& found, FileMode mode, const std::string& setting,
                               const std::string& path) {
  if (found.st_uid != geteuid() && found.st_uid != 0) {
    return Wrong(setting, path,
                 "belongs to another user, uid " + std::to_string(found.st_uid) +
                     "; it must be this user's or root's: chown " + std::to_string(geteuid()));
  }
  char octal[8];
  std::snprintf(octal, sizeof(octal), "%04o", found.st_mode & 07777);
  if (mode == FileMode::kPrivate && (found.st_mode & kBeyondOwner) != 0) {
    return Wrong(setting, path, std::string("has mode ") + octal + "; it must be 0600 or less: chmod 600");
  }
  if ((found.st_mode & kWriteByOthers) != 0) {
    return Wrong(setting, path,
                 std::string("has mode ") + octal + "; others must not be able to write it, 0644 or less: chmod go-w");
  }
  return base::Ok();
}

}  // namespace

base::Result<std::string> ReadOperatorFile(const std::string& setting, const std::string& path, FileMode mode) {
  // Nonblocking: a pipe that nobody writes to must not hold up the daemon.
  const base::Fd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (fd.get() < 0) return Wrong(setting, path, std::strerror(errno));
  struct stat found {};
  if (fstat(fd.get(), &found) < 0) return Wrong(setting, path, std::strerror(errno));
  if (!S_ISREG(found.st_mode)) return Wrong(setting, path, "is no regular file");
  if (auto status = CheckOwnerAndMode(found, mode, setting, path); !status.ok()) return std::move(status).error();
  std::string text;
  char buffer[4096];
  ssize_t count = 0;
  while ((count = read(fd.get(), buffer, sizeof(buffer))) > 0) {
    text.append(buffer, static_cast<size_t>(count));
    if (text.size() > kMaxOperatorFileBytes) return Wrong(setting, path, "is longer than 4 MiB");
  }
  if (count < 0) return Wrong(setting, path, std::strerror(errno));
  return text;
}

base::Result<TlsTexts> ReadTlsFiles(const TlsFiles& files, base::WallTime now) {
  TlsTexts texts;
  auto cert = ReadOperatorFile("tls_cert", files.cert, FileMode::kPublic);
  if (!cert.ok()) return std::move(cert).error();
  texts.cert = *std::move(cert);
  auto key = ReadOperatorFile("tls_key", files.key, FileMode::kPrivate);
  if (!key.ok()) return std::move(key).error();
  texts.key = *std::move(key);
  if (auto status = CheckPair(files, now, &texts); !status.ok()) return std::move(status).error();
  if (files.client_ca.empty()) return texts;
  auto client_ca = ReadOperatorFile("client_ca", files.client_ca, FileMode::kPublic);
  if (!client_ca.ok()) return std::move(client_ca).error();
  const std::vector<CertificatePtr> authorities = ReadCertificates(*client_ca);
  if (authorities.empty()) return Wrong("client_ca", files.client_ca, "holds no certificate in PEM");
  for (size_t i = 0; i < authorities.size(); ++i) {
    if (X509_check_ca(authorities[i].get()) != 0) continue;
    return Wrong("client_ca", files.client_ca, "its certificate " + std::to_string(i + 1) + " is not a CA's");
  }
  texts.client_ca = PemOf(authorities);
  return texts;
}

std::string StampOf(const TlsFiles& files) {
  std::string stamp;
  for (const std::string& path : {files.cert, files.key, files.client_ca}) {
    struct stat found {};
    if (path.empty()) continue;
    if (stat(path.c_str(), &found) < 0) found = {};
    for (const auto number :
         {static_cast<int64_t>(found.st_dev), static_cast<int64_t>(found.st_ino), static_cast<int64_t>(found.st_size),
          static_cast<int64_t>(found.st_mtim.tv_sec), static_cast<int64_t>(found.st_mtim.tv_nsec),
          static_cast<int64_t>(found.st_ctim.tv_sec), static_cast<int64_t>(found.st_ctim.tv_nsec)}) {
      stamp += std::to_string(number) + " ";
    }
  }
  return stamp;
}

}  // namespace socketeer::rpc
