#include "server/rpc/trial_handshake.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <memory>

namespace socketeer::rpc {
namespace {

struct FreeTls {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  void operator()(SSL* ssl) const { SSL_free(ssl); }
};
using ContextPtr = std::unique_ptr<SSL_CTX, FreeTls>;
using SslPtr = std::unique_ptr<SSL, FreeTls>;

constexpr int kMaxRounds = 16;  // messages go to and fro twice

// The first of OpenSSL's errors, and none remains.
std::string TakeError() {
  const char* const reason = ERR_reason_error_string(ERR_peek_error());
  ERR_clear_error();
  return reason == nullptr ? "OpenSSL does not say why" : reason;
}

// With what gRPC's have: its versions, ciphers and curve.
ContextPtr NewContext(const SSL_METHOD* method) {
  constexpr char kCiphers[] =
      "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:ECDHE-ECDSA-AES128-GCM-SHA256:"
      "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384";
  constexpr int kCurve[] = {NID_X9_62_prime256v1};
  ContextPtr context(SSL_CTX_new(method));
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_cipher_list(context.get(), kCiphers);
  SSL_CTX_set1_groups(context.get(), kCurve, 1);
  return context;
}

bool Use(SSL_CTX* context, const std::vector<CertificatePtr>& chain, EVP_PKEY* key) {
  if (SSL_CTX_use_certificate(context, chain.front().get()) != 1) return false;
  for (size_t i = 1; i < chain.size(); ++i) {
    if (SSL_CTX_add1_chain_cert(context, chain[i].get()) != 1) return false;
  }
  return SSL_CTX_use_PrivateKey(context, key) == 1 && SSL_CTX_check_private_key(context) == 1;
}

// True: done, or it waits for the other side.
bool GoOn(SSL* ssl, bool* done) {
  const int result = SSL_do_handshake(ssl);
  *done = result == 1;
  return *done || SSL_get_error(ssl, result) == SSL_ERROR_WANT_READ;
}

bool ShakeHands(SSL* server, SSL* client) {
  BIO* ours = nullptr;
  BIO* theirs = nullptr;
  if (BIO_new_bio_pair(&ours, 1 << 20, &theirs, 1 << 20) != 1) return false;
  SSL_set_bio(server, ours, ours);
  SSL_set_bio(client, theirs, theirs);
  SSL_set_accept_state(server);
  SSL_set_connect_state(client);
  bool server_done = false, client_done = false;
  for (int i = 0; i < kMaxRounds && !(server_done && client_done); ++i) {
    if (!GoOn(client, &client_done) || !GoOn(server, &server_done)) return false;
  }
  return server_done && client_done;
}

}  // namespace

std::string WhyNoHandshake(const std::vector<CertificatePtr>& chain, EVP_PKEY* key) {
  ERR_clear_error();
  const ContextPtr server_context = NewContext(TLS_server_method()), client_context = NewContext(TLS_client_method());
  SSL_CTX_set_verify(client_context.get(), SSL_VERIFY_NONE, nullptr);
  if (!Use(server_context.get(), chain, key)) return TakeError();
  const SslPtr server(SSL_new(server_context.get())), client(SSL_new(client_context.get()));
  const bool done = ShakeHands(server.get(), client.get());
  const std::string why = done ? "" : TakeError();
  ERR_clear_error();
  return why;
}

}  // namespace socketeer::rpc
