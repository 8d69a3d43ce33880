#include "server/rpc/client_cas.h"

#include <openssl/err.h>
#include <openssl/x509_vfy.h>

#include <utility>
#include <vector>

#include "server/rpc/certificate.h"

namespace socketeer::rpc {
namespace {

// As many as there may be connections, and some that came before.
constexpr size_t kMaxTrusted = 1'024;

struct FreeStoreContext {
  void operator()(X509_STORE_CTX* context) const { X509_STORE_CTX_free(context); }
};
struct FreeStack {
  void operator()(STACK_OF(X509) * stack) const { sk_X509_free(stack); }  // not what is in it
};

}  // namespace

ClientCas::ClientCas(std::string_view pem) : store_(X509_STORE_new()) {
  for (const CertificatePtr& ca : ReadCertificates(pem)) X509_STORE_add_cert(store_.get(), ca.get());
  // A CA between that the operator names is enough, also without its root. That one of these, or the certificate
  // itself, is over is another question than whose it is.
  X509_STORE_set_flags(store_.get(), X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_TRUSTED_FIRST | X509_V_FLAG_NO_CHECK_TIME);
  X509_STORE_set_purpose(store_.get(), X509_PURPOSE_SSL_CLIENT);
  ERR_clear_error();
}

bool ClientCas::Trusts(const ShownCertificate& shown) const {
  const std::vector<CertificatePtr> leaf = ReadCertificates(shown.leaf);
  if (leaf.empty()) return false;
  const std::vector<CertificatePtr> chain = ReadCertificates(shown.chain);
  const std::unique_ptr<STACK_OF(X509), FreeStack> between(sk_X509_new_null());
  for (const CertificatePtr& each : chain) sk_X509_push(between.get(), each.get());
  const std::unique_ptr<X509_STORE_CTX, FreeStoreContext> context(X509_STORE_CTX_new());
  const bool trusted = X509_STORE_CTX_init(context.get(), store_.get(), leaf.front().get(), between.get()) == 1 &&
                       X509_verify_cert(context.get()) == 1;
  ERR_clear_error();
  return trusted;
}

ShownCertificatePtr ClientCas::Find(std::string_view leaf, const std::function<std::string()>& chain) {
  {
    std::lock_guard lock(mutex_);
    if (const auto found = trusted_.find(leaf); found != trusted_.end()) return found->second;
  }
  auto shown = std::make_shared<const ShownCertificate>(ShownCertificate{.leaf = std::string(leaf), .chain = chain()});
  if (!Trusts(*shown)) return nullptr;
  std::lock_guard lock(mutex_);
  if (trusted_.size() >= kMaxTrusted) trusted_.clear();
  return trusted_.emplace(shown->leaf, shown).first->second;
}

}  // namespace socketeer::rpc
