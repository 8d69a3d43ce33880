// Whether a certificate serves: OpenSSL tells of one that it will not show, such as one with a weak key, only when gRPC
// has let go of the one before, or in each handshake.
#pragma once

#include <string>
#include <vector>

#include "server/rpc/certificate.h"

namespace socketeer::rpc {

// Makes a handshake in memory between a server with that certificate and what leads to its CA, set up as gRPC's, and a
// client that believes everything. "": it came to its end; else why not, in OpenSSL's words. Precondition: the chain
// holds a certificate at least.
std::string WhyNoHandshake(const std::vector<CertificatePtr>& chain, EVP_PKEY* key);

}  // namespace socketeer::rpc
