// Where the daemon listens for its callers.
#pragma once

#include <string>

#include "server/base/fd.h"
#include "server/base/result.h"
#include "server/net/address.h"
#include "server/net/socket_path.h"

namespace socketeer::rpc {

struct Listener {
  base::Fd fd;
  net::SocketAddress address;  // the real one: port 0 is resolved
  net::SocketPath path;        // of a UNIX socket
  // "unix:/run/x.sock", "127.0.0.1:7625".
  std::string ToString() const;
};

// What Listen() says of an endpoint that it refuses for its form, before any system call.
base::Status CheckEndpoint(const std::string& endpoint);

// `endpoint`: "unix:PATH", a path, or a loopback address with a port ("127.0.0.1:0", "[::1]:7625", "localhost:7625").
// Any other address is refused: it would need TLS, client identities and a policy. A path at which a daemon answers is
// refused, one at which nobody does is taken over. Errors are for the operator: message only.
base::Result<Listener> Listen(const std::string& endpoint);

}  // namespace socketeer::rpc
