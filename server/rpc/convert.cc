#include "server/rpc/convert.h"

#include <sys/socket.h>

#include <utility>

#include "server/base/limits.h"
#include "server/registry/registry.h"

namespace socketeer::rpc {
namespace {

// Puts the path of the message before the field that an error names.
base::Error Within(const std::string& path, base::Error error) {
  const auto field = error.metadata.find("field");
  if (field == error.metadata.end()) {
    error.operation.clear();  // a scope that the kernel would not look up: the call says what it was for
    return error;
  }
  return base::InvalidField(path + "." + field->second, error.metadata["given"], error.metadata["allowed"]);
}

}  // namespace

void ToProto(const net::SocketAddress& address, v1::Endpoint* out) {
  if (address.IsInet()) {
    v1::InetEndpoint* inet = out->mutable_inet();
    inet->set_ip(address.ip());
    inet->set_port(address.port());
    inet->set_scope(address.scope());
  } else if (address.IsUnixUnnamed()) {
    out->mutable_unix_domain();
  } else if (address.IsUnixAbstract()) {
    out->mutable_unix_domain()->set_abstract_name(address.unix_name());
  } else if (address.IsUnixPath()) {
    out->mutable_unix_domain()->set_path(address.unix_name());
  } else {
    out->set_raw(address.bytes());
  }
}

google::protobuf::Timestamp ToProto(base::WallTime time) {
  const auto since = time.time_since_epoch();
  const auto seconds = std::chrono::floor<std::chrono::seconds>(since);
  google::protobuf::Timestamp stamp;
  stamp.set_seconds(seconds.count());
  stamp.set_nanos(static_cast<int32_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(since - seconds).count()));
  return stamp;
}

google::protobuf::Duration ToProto(std::chrono::nanoseconds duration) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(duration);
  google::protobuf::Duration out;
  out.set_seconds(seconds.count());
  out.set_nanos(static_cast<int32_t>((duration - seconds).count()));
  return out;
}

void ToProto(const registry::Session& session, const base::Clock& clock, v1::Session* out) {
  out->set_name(session.name());
  out->set_owner(session.owner());
  *out->mutable_ttl() = ToProto(session.terms().ttl);
  *out->mutable_grace() = ToProto(session.terms().grace);
  *out->mutable_create_time() = ToProto(session.create_time());
  const auto left = std::chrono::duration_cast<base::WallTime::duration>(session.Expires() - clock.Now());
  *out->mutable_expire_time() = ToProto(clock.WallNow() + left);
  out->set_sockets(session.sockets().load());
  out->set_holders(static_cast<uint32_t>(session.holders()));
}

void ToProto(const registry::View& view, v1::Socket* out) {
  const net::SocketKind& kind = view.info.kind;
  out->set_name(view.name);
  out->set_uid(view.uid);
  out->set_family(kind.family == AF_UNIX    ? v1::FAMILY_UNIX
                  : kind.family == AF_INET6 ? v1::FAMILY_INET6
                                            : v1::FAMILY_INET);
  out->set_type(kind.type == SOCK_STREAM  ? v1::SOCKET_TYPE_STREAM
                : kind.type == SOCK_DGRAM ? v1::SOCKET_TYPE_DGRAM
                                          : v1::SOCKET_TYPE_SEQPACKET);
  out->set_protocol(kind.protocol);
  out->set_kind(kind.Word());
  out->set_state(static_cast<v1::State>(view.info.state));
  out->set_read_shutdown(view.info.read_shutdown);
  out->set_write_shutdown(view.info.write_shutdown);
  if (!view.info.local.empty()) ToProto(view.info.local, out->mutable_local());
  if (!view.info.peer.empty()) ToProto(view.info.peer, out->mutable_peer());
  for (const auto& [key, value] : view.labels) (*out->mutable_labels())[key] = value;
  out->set_owner(view.owner);
  *out->mutable_create_time() = ToProto(view.create_time);
  v1::Counters* counters = out->mutable_counters();
  counters->set_bytes_sent(view.bytes_sent);
  counters->set_bytes_received(view.bytes_received);
  counters->set_datagrams_sent(view.datagrams_sent);
  counters->set_datagrams_received(view.datagrams_received);
  counters->set_accepted(view.accepted);
  counters->set_retained_bytes(view.retained_bytes);
  out->set_waiting_reads(view.waiting_reads);
  out->set_waiting_writes(view.waiting_writes);
  out->set_session(view.session);
  out->set_close_reason(static_cast<v1::CloseReason>(view.close_reason));
  if (view.close_reason != registry::CloseReason::kNone) *out->mutable_close_time() = ToProto(view.close_time);
  if (view.access != registry::Access::kOwn) out->set_access(static_cast<v1::Access>(view.access));
  for (const registry::Grant& each : view.grants) {
    v1::Grant* const grant = out->add_grants();
    grant->set_identity(each.identity);
    grant->set_access(static_cast<v1::Access>(each.access));
  }
}

void ToProto(net::IncomingDatagram datagram, v1::IncomingDatagram* out) {
  out->set_truncated(datagram.true_size > datagram.payload.size());
  out->set_true_size(datagram.true_size);
  out->set_payload(std::move(datagram.payload));
  if (!datagram.source.empty()) ToProto(datagram.source, out->mutable_source());
  if (!datagram.destination.empty()) out->set_destination_ip(datagram.destination.ip());
}

base::Result<net::SocketAddress> FromProto(const v1::Endpoint& endpoint, const std::string& field) {
  const auto within = [&field](const char* form, base::Result<net::SocketAddress> address) {
    return address.ok() ? std::move(address)
                        : base::Result<net::SocketAddress>(Within(field + form, std::move(address).error()));
  };
  switch (endpoint.address_case()) {
    case v1::Endpoint::kInet:
      return within(".inet",
                    net::SocketAddress::Inet(endpoint.inet().ip(), endpoint.inet().port(), endpoint.inet().scope()));
    case v1::Endpoint::kUnixDomain:
      if (endpoint.unix_domain().has_path()) {
        return within(".unix_domain", net::SocketAddress::UnixPath(endpoint.unix_domain().path()));
      }
      if (endpoint.unix_domain().has_abstract_name()) {
        return within(".unix_domain", net::SocketAddress::UnixAbstract(endpoint.unix_domain().abstract_name()));
      }
      return net::SocketAddress::UnixUnnamed();
    case v1::Endpoint::kRaw:
      return within("", net::SocketAddress::FromRaw(endpoint.raw()));
    case v1::Endpoint::kNamed:
    case v1::Endpoint::ADDRESS_NOT_SET:
      break;
  }
  return base::InvalidField(field, "", "set: inet, unix_domain, named or raw");
}

namespace {

base::Result<std::string> IdOf(const std::string& name, const std::string& collection, const std::string& field) {
  if (name.starts_with(collection)) {
    std::string id = name.substr(collection.size());
    if (registry::IsSocketId(id)) return id;
  }
  return base::InvalidField(field, name, collection + "{id}, id of the form [a-z][a-z0-9-]{0,62}");
}

}  // namespace

base::Result<std::string> SocketIdOf(const std::string& name, const std::string& field) {
  return IdOf(name, "sockets/", field);
}

base::Result<std::string> SessionIdOf(const std::string& name, const std::string& field) {
  return IdOf(name, "sessions/", field);
}

base::Result<std::string> BarrierIdOf(const std::string& name, const std::string& field) {
  return IdOf(name, "barriers/", field);
}

base::Result<std::string> ValueIdOf(const std::string& name, const std::string& field) {
  return IdOf(name, "values/", field);
}

base::Result<net::Mode> FromProto(v1::Mode mode) {
  switch (mode) {
    case v1::MODE_UNSPECIFIED:
    case v1::MODE_WAIT:
      return net::Mode::kWait;
    case v1::MODE_EXACT:
      return net::Mode::kExact;
    case v1::MODE_WHOLE:
      return net::Mode::kWhole;
    default:
      return base::InvalidField("mode", std::to_string(mode), "MODE_EXACT (1), MODE_WAIT (2) or MODE_WHOLE (3)");
  }
}

base::Result<int> FamilyOf(v1::Family family) {
  switch (family) {
    case v1::FAMILY_UNSPECIFIED:
      return AF_UNSPEC;
    case v1::FAMILY_INET:
      return AF_INET;
    case v1::FAMILY_INET6:
      return AF_INET6;
    case v1::FAMILY_UNIX:
      return AF_UNIX;
    default:
      return base::InvalidField("family", std::to_string(family),
                                "FAMILY_INET (1), FAMILY_INET6 (2), FAMILY_UNIX (3), or left open");
  }
}

base::Result<int> TypeOf(v1::SocketType type) {
  switch (type) {
    case v1::SOCKET_TYPE_STREAM:
      return SOCK_STREAM;
    case v1::SOCKET_TYPE_DGRAM:
      return SOCK_DGRAM;
    case v1::SOCKET_TYPE_SEQPACKET:
      return SOCK_SEQPACKET;
    default:
      return base::InvalidField("type", std::to_string(type),
                                "SOCKET_TYPE_STREAM (1), SOCKET_TYPE_DGRAM (2) or SOCKET_TYPE_SEQPACKET (3)");
  }
}

base::Result<std::optional<std::chrono::nanoseconds>> FromProto(const google::protobuf::Duration& duration) {
  constexpr int64_t kMaxSeconds = std::chrono::seconds(base::kMaxTimeout).count();
  const bool in_range =
      duration.seconds() >= 0 && duration.nanos() >= 0 && duration.nanos() < 1'000'000'000 &&
      (duration.seconds() < kMaxSeconds || (duration.seconds() == kMaxSeconds && duration.nanos() == 0));
  if (!in_range) {
    return base::InvalidField("timeout", duration.ShortDebugString(), "0 to 24 h");
  }
  return std::optional<std::chrono::nanoseconds>(std::chrono::seconds(duration.seconds()) +
                                                 std::chrono::nanoseconds(duration.nanos()));
}

base::Result<uint32_t> InRange(uint64_t value, uint64_t min, uint64_t max, const std::string& field) {
  if (value >= min && value <= max) return static_cast<uint32_t>(value);
  return base::InvalidField(field, std::to_string(value), std::to_string(min) + " to " + std::to_string(max));
}

}  // namespace socketeer::rpc
