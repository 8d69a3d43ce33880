#include "server/rpc/guarded_read.h"

#include <dlfcn.h>
#include <grpc/support/log.h>
#include <openssl/ssl.h>

#include <memory>

#include "server/rpc/frame_guard.h"

namespace socketeer::rpc {
namespace {

// Called with each SSL that is freed; most have none.
void FreeGuard(void*, void* guard, CRYPTO_EX_DATA*, int, long, void*) { delete static_cast<FrameGuard*>(guard); }

int GuardIndex() {
  static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, FreeGuard);
  return index;
}

// Of a server's connection, kept by it, and used under gRPC's lock of that. Null: there is none.
FrameGuard* GuardOf(SSL* ssl) {
  if (SSL_is_server(ssl) == 0) return nullptr;
  if (void* const guard = SSL_get_ex_data(ssl, GuardIndex())) return static_cast<FrameGuard*>(guard);
  auto made = std::make_unique<FrameGuard>();
  return SSL_set_ex_data(ssl, GuardIndex(), made.get()) == 1 ? made.release() : nullptr;
}

}  // namespace

base::Status GuardReads() {
  if (GuardIndex() >= 0 && dlsym(RTLD_DEFAULT, "SSL_read") == reinterpret_cast<void*>(&SSL_read) &&
      dlsym(RTLD_DEFAULT, "SSL_write") == reinterpret_cast<void*>(&SSL_write)) {
    return base::Ok();
  }
  base::Error error;
  error.message = "this program was linked so that it cannot guard what gRPC reads over TLS";
  return error;
}

}  // namespace socketeer::rpc

// Both as OpenSSL's, which are these around SSL_read_ex() and SSL_write_ex().

extern "C" __attribute__((visibility("default"))) int SSL_read(SSL* ssl, void* buffer, int size) {
  if (size <= 0) return 0;
  size_t read = 0;
  if (SSL_read_ex(ssl, buffer, static_cast<size_t>(size), &read) != 1) return 0;
  if (socketeer::rpc::FrameGuard* const guard = socketeer::rpc::GuardOf(ssl)) {
    const bool was_refused = guard->refused();
    guard->Look({static_cast<uint8_t*>(buffer), read}, std::chrono::steady_clock::now());
    if (guard->refused() && !was_refused) gpr_log(GPR_ERROR, "a connection is cut off: its HTTP/2 frames go too far");
  }
  return static_cast<int>(read);
}

extern "C" __attribute__((visibility("default"))) int SSL_write(SSL* ssl, const void* buffer, int size) {
  if (size < 0) return -1;
  if (socketeer::rpc::FrameGuard* const guard = socketeer::rpc::GuardOf(ssl)) guard->Written();
  size_t written = 0;
  return SSL_write_ex(ssl, buffer, static_cast<size_t>(size), &written) == 1 ? static_cast<int>(written) : 0;
}
