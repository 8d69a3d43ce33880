#include "client/cli/cert_maker.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <set>

#include "client/lib/pem.h"
#include "socketeer/status_macros.h"
#include "socketeer/text.h"

namespace socketeer::cli {
namespace {

using internal::KeyPtr;
using internal::X509Ptr;

// Clocks of other hosts may be behind.
constexpr long kBackdatedSeconds = 300;
constexpr size_t kMaxCertName = 100;

absl::Status FileError(const std::string& path, int number) {
  const std::string text = Printable(path) + ": " + std::strerror(number);
  if (number == EEXIST) return absl::InvalidArgumentError(text + "; nothing is overwritten");
  return absl::InvalidArgumentError(text);
}

absl::Status OpenSslFailed() {
  ERR_clear_error();
  return absl::InternalError("OpenSSL could not make a certificate");
}

template <typename Write>
std::string Pem(Write write) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> bio(BIO_new(BIO_s_mem()), BIO_free);
  write(bio.get());
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return std::string(data, static_cast<size_t>(size));
}
std::string Pem(X509* cert) {
  return Pem([cert](BIO* bio) { PEM_write_bio_X509(bio, cert); });
}
std::string Pem(EVP_PKEY* key) {
  return Pem([key](BIO* bio) { PEM_write_bio_PrivateKey(bio, key, nullptr, nullptr, 0, nullptr, nullptr); });
}

// A certificate and its key; null: OpenSSL failed.
struct Issued {
  X509Ptr cert;
  KeyPtr key;
};

struct Extension {
  int kind;
  std::string value;
};

bool Extend(X509* cert, X509* issuer, const std::vector<Extension>& extensions) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, cert, nullptr, nullptr, 0);
  return std::all_of(extensions.begin(), extensions.end(), [&](const Extension& each) {
    X509_EXTENSION* const made = X509V3_EXT_conf_nid(nullptr, &context, each.kind, each.value.c_str());
    const bool added = made != nullptr && X509_add_ext(cert, made, -1) == 1;
    X509_EXTENSION_free(made);
    return added;
  });
}

// `issuer` null: it issues itself.
Issued Issue(const std::string& name, const Issued* issuer, absl::Duration valid,
             const std::vector<Extension>& extensions) {
  Issued made{.cert = X509Ptr(X509_new()), .key = KeyPtr(EVP_EC_gen("P-256"))};
  X509* const cert = made.cert.get();
  X509* const issuer_cert = issuer == nullptr ? cert : issuer->cert.get();
  unsigned char serial[16];
  bool good = cert != nullptr && made.key != nullptr && RAND_bytes(serial, sizeof(serial)) == 1;
  if (!good) return {};
  serial[0] &= 0x7f;  // positive
  const std::unique_ptr<BIGNUM, decltype(&BN_free)> number(BN_bin2bn(serial, sizeof(serial), nullptr), BN_free);
  BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(cert));
  X509_set_version(cert, X509_VERSION_3);
  X509_gmtime_adj(X509_getm_notBefore(cert), -kBackdatedSeconds);
  X509_gmtime_adj(X509_getm_notAfter(cert), static_cast<long>(absl::ToInt64Seconds(valid)));
  // A common name has at most 64 characters; the real one is in the extensions.
  const std::string common = name.substr(0, 64);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(common.c_str()), -1, -1, 0);
  X509_set_issuer_name(cert, X509_get_subject_name(issuer_cert));
  X509_set_pubkey(cert, made.key.get());
  EVP_PKEY* const signer = issuer == nullptr ? made.key.get() : issuer->key.get();
  good = Extend(cert, issuer_cert, extensions) && X509_sign(cert, signer, EVP_sha256()) != 0;
  return good ? std::move(made) : Issued{};
}

Issued IssueCa(absl::Duration valid) {
  return Issue("socketeer lab CA", nullptr, valid,
               {{NID_basic_constraints, "critical,CA:TRUE,pathlen:0"},
                {NID_key_usage, "critical,keyCertSign,cRLSign"},
                {NID_subject_key_identifier, "hash"}});
}

Issued IssueLeaf(const std::string& name, const Issued& ca, absl::Duration valid, const std::string& usage,
                 const std::string& san) {
  return Issue(name, &ca, valid,
               {{NID_basic_constraints, "critical,CA:FALSE"},
                {NID_key_usage, "critical,digitalSignature"},
                {NID_ext_key_usage, usage},
                {NID_subject_key_identifier, "hash"},
                {NID_authority_key_identifier, "keyid"},
                {NID_subject_alt_name, san}});
}

bool IsAddress(const std::string& name) {
  in6_addr address;
  return inet_pton(AF_INET, name.c_str(), &address) == 1 || inet_pton(AF_INET6, name.c_str(), &address) == 1;
}

// Goes into OpenSSL's words and into a file's name.
bool IsCertName(const std::string& name) {
  const auto letter = [](unsigned char c) { return c < 0x80 && std::isalnum(c); };
  return !name.empty() && name.size() <= kMaxCertName && letter(name[0]) &&
         std::all_of(name.begin(), name.end(), [&](char c) { return letter(c) || c == '.' || c == '-' || c == '_'; });
}

std::string SanOfHost(const std::string& name) {
  if (name == "localhost") return "DNS:localhost,IP:127.0.0.1,IP:::1";
  return (IsAddress(name) ? "IP:" : "DNS:") + name;
}

// Files that are made together or not at all.
class Files {
 public:
  explicit Files(std::string directory) : directory_(std::move(directory)) {}
  Files(const Files&) = delete;
  Files& operator=(const Files&) = delete;
  ~Files() {
    for (const std::string& path : made_) unlink(path.c_str());
    if (made_directory_) rmdir(directory_.c_str());
  }
  void Keep() {
    made_.clear();
    made_directory_ = false;
  }

  absl::Status MakeDirectory() {
    made_directory_ = mkdir(directory_.c_str(), 0755) == 0;
    if (!made_directory_ && errno != EEXIST) return FileError(directory_, errno);
    return absl::OkStatus();
  }

  // `stem`.pem and `stem`.key.
  absl::StatusOr<MadeCert> Add(std::string stem, const Issued& issued, std::string meaning) {
    if (issued.cert == nullptr) return OpenSslFailed();
    std::replace(stem.begin(), stem.end(), ':', '-');
    MadeCert made{.cert = Path(stem + ".pem"), .key = Path(stem + ".key"), .meaning = std::move(meaning)};
    SOCKETEER_RETURN_IF_ERROR(Write(made.key, Pem(issued.key.get()), 0600));
    SOCKETEER_RETURN_IF_ERROR(Write(made.cert, Pem(issued.cert.get()), 0644));
    return made;
  }

  std::string Path(const std::string& name) const { return directory_ + "/" + name; }

 private:
  absl::Status Write(const std::string& path, const std::string& text, mode_t mode) {
    const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
    if (fd < 0) return FileError(path, errno);
    made_.push_back(path);
    const bool written = write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
    const int number = written ? 0 : errno == 0 ? ENOSPC : errno;
    if (close(fd) < 0 && number == 0) return FileError(path, errno);
    return number == 0 ? absl::OkStatus() : FileError(path, number);
  }

  const std::string directory_;
  bool made_directory_ = false;
  std::vector<std::string> made_;
};

std::string ReadSmall(const std::string& path) {
  std::string text(65'536, '\0');
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  const ssize_t count = fd < 0 ? 0 : read(fd, text.data(), text.size());
  if (fd >= 0) close(fd);
  text.resize(count < 0 ? 0 : static_cast<size_t>(count));
  return text;
}

// The one that is in the directory; null members: there is none.
absl::StatusOr<Issued> ExistingCa(const Files& files) {
  const std::string cert = files.Path("ca.pem"), key = files.Path("ca.key");
  const bool has_cert = access(cert.c_str(), F_OK) == 0, has_key = access(key.c_str(), F_OK) == 0;
  if (!has_cert && !has_key) return Issued{};
  if (!has_cert || !has_key) {
    return absl::InvalidArgumentError(Printable(has_cert ? key : cert) + ": is missing beside " +
                                      Printable(has_cert ? cert : key));
  }
  auto certificates = internal::CertificatesIn(ReadSmall(cert));
  Issued ca{.cert = certificates.empty() ? nullptr : std::move(certificates.front()),
            .key = internal::KeyIn(ReadSmall(key))};
  const bool whole = ca.cert != nullptr && ca.key != nullptr && X509_check_ca(ca.cert.get()) != 0 &&
                     X509_check_private_key(ca.cert.get(), ca.key.get()) == 1;
  ERR_clear_error();
  if (!whole) return absl::InvalidArgumentError(Printable(cert) + ": is no CA that its key in ca.key belongs to");
  return ca;
}

absl::Status CheckNames(const CertOrder& order) {
  std::set<std::string> seen{"ca"};
  for (const std::string& host : order.hosts) {
    if (!IsCertName(host) && !IsAddress(host)) {
      return absl::InvalidArgumentError("--host: " + Quoted(host) + " must be a name or an address");
    }
    if (!seen.insert(host).second) return absl::InvalidArgumentError("--host: " + Quoted(host) + " is taken");
  }
  for (const std::string& client : order.clients) {
    if (!IsCertName(client)) {
      return absl::InvalidArgumentError("--client: " + Quoted(client) +
                                        " must be a letter or digit, then letters, digits, '.', '-' and '_'");
    }
    if (!seen.insert(client).second) return absl::InvalidArgumentError("--client: " + Quoted(client) + " is taken");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::vector<MadeCert>> MakeCerts(const std::string& directory, const CertOrder& order) {
  SOCKETEER_RETURN_IF_ERROR(CheckNames(order));
  Files files(directory);
  SOCKETEER_RETURN_IF_ERROR(files.MakeDirectory());
  std::vector<MadeCert> made;
  SOCKETEER_ASSIGN_OR_RETURN(Issued ca, ExistingCa(files));
  if (ca.cert == nullptr) {
    ca = IssueCa(order.valid);
    SOCKETEER_ASSIGN_OR_RETURN(MadeCert each, files.Add("ca", ca, "the CA"));
    made.push_back(std::move(each));
  }
  for (const std::string& host : order.hosts) {
    const Issued issued = IssueLeaf(host, ca, order.valid, "serverAuth", SanOfHost(host));
    SOCKETEER_ASSIGN_OR_RETURN(MadeCert each, files.Add(host, issued, "daemon " + host));
    made.push_back(std::move(each));
  }
  for (const std::string& client : order.clients) {
    const std::string identity = "spiffe://socketeer/" + client;
    const Issued issued = IssueLeaf(client, ca, order.valid, "clientAuth", "URI:" + identity);
    SOCKETEER_ASSIGN_OR_RETURN(MadeCert each, files.Add(client, issued, identity));
    made.push_back(std::move(each));
  }
  files.Keep();
  return made;
}

}  // namespace socketeer::cli
