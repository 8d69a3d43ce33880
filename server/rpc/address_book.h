// Turns the endpoints of one request into addresses, asking the resolver for names.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "server/rpc/call.h"
#include "socketeer/v1/endpoint.pb.h"

namespace socketeer::rpc {

struct EndpointQuery {
  v1::Endpoint endpoint;  // a copy: the request goes with its call, which may be cancelled while the resolver works
  std::string field;      // its path, for errors
  bool for_bind = false;  // an empty host is the wildcard
};

// The addresses of one endpoint: one, or all that a name has, in the resolver's order.
struct Addresses {
  std::vector<net::SocketAddress> list;
  bool both_families = false;  // the wildcard of IPv6 and IPv4 at once
};

// Resolves all `queries` for a socket of `kind` (its family may be AF_UNSPEC: any). `done` gets as many Addresses, each
// with at least one, at once when no name is among them, else on another thread; it is not called when the call was
// cancelled meanwhile: then the call has ended.
using AddressesDone = std::function<void(std::vector<Addresses>)>;
base::Status ResolveAll(Call& call, std::vector<EndpointQuery> queries, const net::SocketKind& kind,
                        AddressesDone done);

// An IPv4 address for an IPv6 socket, as that takes it.
net::SocketAddress ForFamily(const net::SocketAddress& address, int family);

}  // namespace socketeer::rpc
