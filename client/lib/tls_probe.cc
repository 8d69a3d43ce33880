#include "client/lib/tls_probe.h"

#include <arpa/inet.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <memory>

#include "client/lib/pem.h"
#include "client/lib/probe_connection.h"

namespace socketeer::internal {
namespace {

struct SslFree {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  void operator()(SSL* ssl) const { SSL_free(ssl); }
};

bool IsAddress(const std::string& host) {
  in6_addr address;
  return inet_pton(AF_INET, host.c_str(), &address) == 1 || inet_pton(AF_INET6, host.c_str(), &address) == 1;
}

std::unique_ptr<SSL_CTX, SslFree> ContextFor(const Credentials& credentials) {
  std::unique_ptr<SSL_CTX, SslFree> context(SSL_CTX_new(TLS_client_method()));
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  for (const X509Ptr& ca : CertificatesIn(credentials.ca)) {
    X509_STORE_add_cert(SSL_CTX_get_cert_store(context.get()), ca.get());
  }
  SSL_CTX_set_verify(context.get(), credentials.ca.empty() ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, nullptr);
  const auto chain = CertificatesIn(credentials.cert);
  for (size_t i = 0; i < chain.size(); ++i) {
    if (i == 0) SSL_CTX_use_certificate(context.get(), chain[i].get());
    if (i > 0) SSL_CTX_add1_chain_cert(context.get(), chain[i].get());
  }
  if (const KeyPtr key = KeyIn(credentials.key)) SSL_CTX_use_PrivateKey(context.get(), key.get());
  return context;
}

// Between two buffers in memory: what goes over the connection passes through our hands.
std::unique_ptr<SSL, SslFree> SslFor(SSL_CTX* context, const std::string& host) {
  std::unique_ptr<SSL, SslFree> ssl(SSL_new(context));
  constexpr unsigned char kHttp2[] = {2, 'h', '2'};
  SSL_set_alpn_protos(ssl.get(), kHttp2, sizeof(kHttp2));
  if (IsAddress(host)) {
    X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl.get()), host.c_str());
  } else {
    SSL_set_tlsext_host_name(ssl.get(), host.c_str());
    SSL_set1_host(ssl.get(), host.c_str());
  }
  BIO* const received = BIO_new(BIO_s_mem());
  BIO* const sending = BIO_new(BIO_s_mem());
  BIO_set_mem_eof_return(received, -1);  // empty is not the end
  SSL_set_bio(ssl.get(), received, sending);
  return ssl;
}

// How a step of OpenSSL's ended: with what it was for, by an error, because the connection ended, or not in time.
enum class Step { kDone, kFailed, kEnded, kSilent };

template <typename Attempt>
Step Drive(SSL* ssl, ProbeConnection& connection, Attempt attempt) {
  while (true) {
    const int result = attempt(ssl);
    const int error = SSL_get_error(ssl, result);
    char* bytes = nullptr;
    const long size = BIO_get_mem_data(SSL_get_wbio(ssl), &bytes);
    connection.Send({bytes, static_cast<size_t>(std::max(size, 0L))});
    (void)BIO_reset(SSL_get_wbio(ssl));
    if (result > 0) return Step::kDone;
    if (error != SSL_ERROR_WANT_READ) return Step::kFailed;
    std::string received;
    switch (connection.Receive(&received)) {
      case ProbeConnection::Received::kBytes:
        BIO_write(SSL_get_rbio(ssl), received.data(), static_cast<int>(received.size()));
        break;
      case ProbeConnection::Received::kEnd:
        return Step::kEnded;
      case ProbeConnection::Received::kNothing:
        return Step::kSilent;
    }
  }
}

// Of the daemon's certificate.
std::string WhyUnbelieved(long result, const std::string& host) {
  switch (result) {
    case X509_V_OK:
      return "";
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return "its certificate is not for the name " + host;
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return "its certificate has expired";
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return "its certificate is not valid yet";
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_CERT_SIGNATURE_FAILURE:
      return "its certificate is not by the CA that was given";
    default:
      return std::string("its certificate is not good: ") + X509_verify_cert_error_string(result);
  }
}

// It ended the connection over ours, or because there is none.
std::string WhyUnwelcome(const Credentials& credentials) {
  const auto own = CertificatesIn(credentials.cert);
  if (own.empty()) return "it wants a client certificate, and none was given";
  if (X509_cmp_current_time(X509_get0_notAfter(own.front().get())) < 0) return "the client certificate has expired";
  return "it refuses the client certificate";
}

std::string WhyNoHandshake(SSL* ssl, Step step, const std::string& host, const Credentials& credentials) {
  const std::string unbelieved = WhyUnbelieved(SSL_get_verify_result(ssl), host);
  if (!unbelieved.empty()) return unbelieved;
  const int reason = step == Step::kFailed ? ERR_GET_REASON(ERR_peek_error()) : 0;
  if (reason == SSL_R_WRONG_VERSION_NUMBER || reason == SSL_R_UNEXPECTED_MESSAGE || reason == SSL_R_HTTP_REQUEST) {
    return "it speaks no TLS there";
  }
  if (reason == SSL_R_TLSV1_ALERT_PROTOCOL_VERSION) return "it speaks an older TLS than 1.2";
  if (step == Step::kSilent) return "it does not answer TLS";
  // Once it has shown its certificate, what it may dislike is ours.
  const bool showed = SSL_get0_peer_certificate(ssl) != nullptr;
  return showed ? WhyUnwelcome(credentials) : "it ended the TLS handshake";
}

std::string WhyNoTlsOver(ProbeConnection& connection, const std::string& host, const Credentials& credentials) {
  const auto context = ContextFor(credentials);
  const auto ssl = SslFor(context.get(), host);
  ERR_clear_error();
  const Step step = Drive(ssl.get(), connection, [](SSL* each) { return SSL_connect(each); });
  if (credentials.ca.empty()) {
    // That it showed a certificate is enough, whatever it thinks of us.
    return SSL_get0_peer_certificate(ssl.get()) != nullptr ? "it speaks TLS, and no CA to know it by was given" : "";
  }
  if (step != Step::kDone) return WhyNoHandshake(ssl.get(), step, host, credentials);
  // In TLS 1.3 it looks at our certificate after the handshake has ended for us; if it likes it, HTTP/2 begins.
  const Step first_word = Drive(ssl.get(), connection, [](SSL* each) {
    char byte = 0;
    return SSL_read(each, &byte, 1);
  });
  return first_word == Step::kDone || first_word == Step::kSilent ? "" : WhyUnwelcome(credentials);
}

}  // namespace

std::string WhyNoTls(const std::string& host, const std::string& port, const Credentials& credentials,
                     absl::Duration within, Cancellation* cancellation) {
  ProbeConnection connection(std::min(within, kLongestProbe), cancellation);
  if (!connection.Connect(host, port)) return "";
  std::string why = WhyNoTlsOver(connection, host, credentials);
  ERR_clear_error();
  return why;
}

}  // namespace socketeer::internal
