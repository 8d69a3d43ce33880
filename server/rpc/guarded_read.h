// Puts a FrameGuard between TLS and gRPC.
#pragma once

#include "server/base/result.h"

namespace socketeer::rpc {

// gRPC has no place for it: but it takes what is decrypted from OpenSSL's SSL_read(), and functions of that name,
// and of SSL_write(), in the program itself come before the library's. An error: in this program it does not, and
// nothing would be guarded.
base::Status GuardReads();

}  // namespace socketeer::rpc
