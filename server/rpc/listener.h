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

// What must be there before a network is served.
struct Protection {
  bool tls = false;
  bool identities = false;
  bool policy = false;
};

// What Listen() says of an endpoint that it refuses for its form, or for what is missing, before any system call.
base::Status CheckEndpoint(const std::string& endpoint, const Protection& protection);

// `endpoint`: "unix:PATH", a path, or an address with a port ("127.0.0.1:0", "[::1]:7625", "localhost:7625"). One that
// is not loopback is refused without all of the protection; the message says what is missing. A path at which a daemon
// answers is refused, one at which nobody does is taken over. Errors are for the operator: message only.
base::Result<Listener> Listen(const std::string& endpoint, const Protection& protection = {});

// The same for a port that serves something else than calls, in plain text: any address with a port, and nothing is
// missing.
struct PlainSetting {
  const char* name;
  int usual_port;  // for an example
};
inline constexpr PlainSetting kHealthSetting{.name = "health", .usual_port = 7626};
inline constexpr PlainSetting kMetricsSetting{.name = "metrics", .usual_port = 7627};
base::Status CheckPlainEndpoint(const PlainSetting& setting, const std::string& endpoint);
base::Result<Listener> ListenInPlain(const PlainSetting& setting, const std::string& endpoint);

}  // namespace socketeer::rpc
