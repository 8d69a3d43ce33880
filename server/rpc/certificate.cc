#include "server/rpc/certificate.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <ctime>

#include "server/rpc/certificate_name.h"

namespace socketeer::rpc {
namespace {

// As many as there may be connections, and some that came before.
constexpr size_t kMaxCached = 1'024;

struct FreeBio {
  void operator()(BIO* bio) const { BIO_free(bio); }
};
using BioPtr = std::unique_ptr<BIO, FreeBio>;

BioPtr BioOf(std::string_view text) { return BioPtr(BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))); }

std::string WrittenTo(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return std::string(data, static_cast<size_t>(size));
}

// A key that wants a password gets none, and nobody is asked at a terminal.
int NoPassword(char*, int, int, void*) { return -1; }

base::WallTime TimeOf(const ASN1_TIME* time) {
  std::tm parts{};
  if (time == nullptr || ASN1_TIME_to_tm(time, &parts) != 1) return {};  // long over
  // The year 9999, which stands for no end, is beyond what a clock in nanoseconds can say.
  constexpr std::time_t kLatest = 9'000'000'000;
  return base::WallTime(std::chrono::seconds(std::min(timegm(&parts), kLatest)));
}

std::string_view TextIn(const ASN1_IA5STRING* string) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(string)),
          static_cast<size_t>(ASN1_STRING_length(string))};
}

std::string IdentityIn(const X509* certificate) {
  const auto free_names = [](GENERAL_NAMES* names) { GENERAL_NAMES_free(names); };
  const std::unique_ptr<GENERAL_NAMES, decltype(free_names)> names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)), free_names);
  std::string_view uri, dns;  // the first of each
  for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* const name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type == GEN_URI && uri.empty()) uri = TextIn(name->d.uniformResourceIdentifier);
    if (name->type == GEN_DNS && dns.empty()) dns = TextIn(name->d.dNSName);
  }
  return uri.empty() ? IdentityOfDns(dns) : IdentityOfUri(uri);
}

}  // namespace

std::vector<CertificatePtr> ReadCertificates(std::string_view pem) {
  std::vector<CertificatePtr> certificates;
  const BioPtr bio = BioOf(pem);
  while (CertificatePtr next{PEM_read_bio_X509(bio.get(), nullptr, NoPassword, nullptr)}) {
    certificates.push_back(std::move(next));
  }
  const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  ERR_clear_error();
  if (!at_end) certificates.clear();
  return certificates;
}

PrivateKeyPtr ReadPrivateKey(std::string_view pem) {
  const BioPtr bio = BioOf(pem);
  PrivateKeyPtr key(PEM_read_bio_PrivateKey(bio.get(), nullptr, NoPassword, nullptr));
  ERR_clear_error();
  return key;
}

std::string PemOf(const std::vector<CertificatePtr>& certificates) {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  for (const CertificatePtr& each : certificates) PEM_write_bio_X509(bio.get(), each.get());
  return WrittenTo(bio.get());
}

std::string PemOf(const EVP_PKEY* key) {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  PEM_write_bio_PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr);
  return WrittenTo(bio.get());
}

base::WallTime BeginOf(const X509* certificate) { return TimeOf(X509_get0_notBefore(certificate)); }
base::WallTime ExpiryOf(const X509* certificate) { return TimeOf(X509_get0_notAfter(certificate)); }

std::string TextOf(base::WallTime time) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[32];
  return std::string(text, std::strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &parts));
}

CertificateFacts FactsOf(std::string_view pem) {
  const std::vector<CertificatePtr> certificates = ReadCertificates(pem);
  if (certificates.empty()) return {};
  CertificateFacts facts{.identity = IdentityIn(certificates[0].get()), .expires = ExpiryOf(certificates[0].get())};
  ERR_clear_error();
  return facts;
}

CertificateFacts CertificateCache::FactsOf(std::string_view pem) {
  {
    std::lock_guard lock(mutex_);
    if (const auto found = by_pem_.find(pem); found != by_pem_.end()) {
      entries_.splice(entries_.begin(), entries_, found->second);
      return found->second->facts;
    }
  }
  CertificateFacts facts = rpc::FactsOf(pem);
  std::lock_guard lock(mutex_);
  if (by_pem_.contains(pem)) return facts;  // another call was as fast
  entries_.push_front({std::string(pem), facts});
  by_pem_.emplace(entries_.front().pem, entries_.begin());
  if (entries_.size() > kMaxCached) {
    by_pem_.erase(entries_.back().pem);
    entries_.pop_back();
  }
  return facts;
}

}  // namespace socketeer::rpc
