#include "server/rpc/tls.h"

#include <fcntl.h>
#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_credentials_options.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>

#include "server/rpc/guarded_read.h"

namespace socketeer::rpc {
namespace {

std::string PathOf(const base::Fd& fd) { return "/proc/self/fd/" + std::to_string(fd.get()); }

base::Error CannotKeep(int number) {
  base::Error error;
  error.message = std::string("cannot keep the certificates in memory: ") + std::strerror(number);
  return error;
}

bool WriteAll(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(fd, text.data(), text.size());
    if (written < 0) return false;
    text.remove_prefix(static_cast<size_t>(written));
  }
  return true;
}

// A new file in memory with that text. The time of its change is `generation`: gRPC reads again what it read while that
// changed.
base::Result<base::Fd> Keep(const std::string& text, int64_t generation) {
  base::Fd made(memfd_create("socketeer-tls", MFD_CLOEXEC));
  if (made.get() < 0 || fchmod(made.get(), 0600) < 0 || !WriteAll(made.get(), text)) return CannotKeep(errno);
  const timespec times[2] = {{.tv_sec = generation, .tv_nsec = 0}, {.tv_sec = generation, .tv_nsec = 0}};
  if (futimens(made.get(), times) < 0) return CannotKeep(errno);
  return made;
}

// `fd` becomes `made`, at once.
base::Status Replace(base::Fd& fd, base::Fd made) {
  if (fd.get() < 0) {
    fd = std::move(made);
  } else if (dup3(made.get(), fd.get(), O_CLOEXEC) < 0) {
    return CannotKeep(errno);
  }
  return base::Ok();
}

}  // namespace

Tls::Tls(const TlsFiles& files, const base::Clock& clock, Log log, OnClientCa on_client_ca)
    : files_(files),
      clock_(clock),
      log_(std::move(log)),
      on_client_ca_(std::move(on_client_ca)),
      stamp_(StampOf(files)) {}

base::Result<std::unique_ptr<Tls>> Tls::Create(const TlsFiles& files, bool certificate_required,
                                               const base::Clock& clock, Log log, OnClientCa on_client_ca) {
  if (auto status = GuardReads(); !status.ok()) return std::move(status).error();
  std::unique_ptr<Tls> tls(new Tls(files, clock, std::move(log), std::move(on_client_ca)));
  auto texts = ReadTlsFiles(files, clock.WallNow());
  if (!texts.ok()) return std::move(texts).error();
  if (auto status = tls->Publish(*texts); !status.ok()) return std::move(status).error();
  const std::string pair = PathOf(tls->pair_);
  const bool asks = !files.client_ca.empty();
  grpc::experimental::TlsServerCredentialsOptions options(
      std::make_shared<grpc::experimental::FileWatcherCertificateProvider>(
          pair, pair, asks ? PathOf(tls->client_ca_) : "", kTlsLookInterval.count()));
  options.watch_identity_key_cert_pairs();
  if (asks) options.watch_root_certs();
  // Without either, no certificate is ever believed: without a CA nothing could be verified.
  options.set_cert_request_type(!asks                  ? GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE
                                : certificate_required ? GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY
                                                       : GRPC_SSL_REQUEST_CLIENT_CERTIFICATE_AND_VERIFY);
  tls->credentials_ = grpc::experimental::TlsServerCredentials(options);
  return tls;
}

base::Status Tls::Publish(const TlsTexts& texts) {
  ++generation_;
  // Both are there before either takes its place: what fails here changes nothing.
  auto pair = Keep(texts.key + "\n" + texts.cert, generation_);
  if (!pair.ok()) return std::move(pair).error();
  if (files_.client_ca.empty()) return Replace(pair_, *std::move(pair));
  auto client_ca = Keep(texts.client_ca, generation_);
  if (!client_ca.ok()) return std::move(client_ca).error();
  // First: whom the handshake lets in must not be refused by what was before.
  if (texts.client_ca != client_ca_text_) on_client_ca_(client_ca_text_ = texts.client_ca);
  if (auto status = Replace(pair_, *std::move(pair)); !status.ok()) return status;
  return Replace(client_ca_, *std::move(client_ca));
}

void Tls::LookAtFiles() {
  std::string stamp = StampOf(files_);
  // What was refused may be good by now with its files as they are: at its time, or with a descriptor to be had.
  if (stamp == stamp_ && refusal_.empty()) return;
  stamp_ = std::move(stamp);
  auto texts = ReadTlsFiles(files_, clock_.WallNow());
  base::Status status = base::Ok();
  if (!texts.ok()) {
    status = std::move(texts).error();
  } else {
    status = Publish(*texts);
  }
  const std::string refusal = status.ok() ? "" : status.error().message;
  const bool told = refusal == refusal_;
  refusal_ = refusal;
  if (status.ok()) return log_(Severity::kInfo, "tls_cert " + files_.cert + ": the new certificate is served");
  if (!told) log_(Severity::kError, refusal + "; the certificates before it stay in force");
}

}  // namespace socketeer::rpc
