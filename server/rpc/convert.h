// Between the messages of socketeer.v1 and the domain's values: the only place where the two meet.
#pragma once

#include <google/protobuf/timestamp.pb.h>

#include <chrono>
#include <optional>
#include <string>

#include "server/base/result.h"
#include "server/net/address.h"
#include "server/net/operation.h"
#include "server/net/options.h"
#include "server/net/socket.h"
#include "server/registry/record.h"
#include "server/registry/session.h"
#include "socketeer/v1/endpoint.pb.h"
#include "socketeer/v1/options.pb.h"
#include "socketeer/v1/session_service.pb.h"
#include "socketeer/v1/socket.pb.h"
#include "socketeer/v1/socket_service.pb.h"

namespace socketeer::rpc {

// --- To the wire. ---
void ToProto(const net::SocketAddress& address, v1::Endpoint* out);
void ToProto(const registry::View& view, v1::Socket* out);
void ToProto(const net::OptionList& options, v1::SocketOptions* out);
void ToProto(net::IncomingDatagram datagram, v1::IncomingDatagram* out);
google::protobuf::Timestamp ToProto(base::WallTime time);
google::protobuf::Duration ToProto(std::chrono::nanoseconds duration);
// The lease's end is told by the wall clock.
void ToProto(const registry::Session& session, const base::Clock& clock, v1::Session* out);

// --- From the wire. Each error is INVALID_FIELD and names the field by its path, which begins with `field`. ---
// Not for `named`: that is the resolver's (address_book.h).
base::Result<net::SocketAddress> FromProto(const v1::Endpoint& endpoint, const std::string& field);
base::Result<net::OptionList> FromProto(const v1::SocketOptions& options);
// "sockets/{id}" -> id.
base::Result<std::string> SocketIdOf(const std::string& name, const std::string& field);
// "sessions/{id}" -> id.
base::Result<std::string> SessionIdOf(const std::string& name, const std::string& field);
// "barriers/{id}" -> id.
base::Result<std::string> BarrierIdOf(const std::string& name, const std::string& field);
// "values/{id}" -> id.
base::Result<std::string> ValueIdOf(const std::string& name, const std::string& field);
// Unspecified is kWait.
base::Result<net::Mode> FromProto(v1::Mode mode);
base::Result<int> FamilyOf(v1::Family family);  // AF_UNSPEC when left open
base::Result<int> TypeOf(v1::SocketType type);

// The `timeout` of a request, if it has one: 0 to kMaxTimeout.
base::Result<std::optional<std::chrono::nanoseconds>> FromProto(const google::protobuf::Duration& duration);
template <typename Request>
base::Result<std::optional<std::chrono::nanoseconds>> TimeoutOf(const Request& request) {
  if (!request.has_timeout()) return std::optional<std::chrono::nanoseconds>();
  return FromProto(request.timeout());
}

// `value` itself, or INVALID_FIELD when it is not in [min, max].
base::Result<uint32_t> InRange(uint64_t value, uint64_t min, uint64_t max, const std::string& field);

}  // namespace socketeer::rpc
