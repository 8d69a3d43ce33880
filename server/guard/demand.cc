#include "server/guard/demand.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <optional>

namespace socketeer::guard {
namespace {

using policy::Family;
using policy::Protocol;
using policy::Request;
using policy::Verb;

// The kernel chooses five hexadecimal digits (unix(7)); a rule for all abstract names is for these.
constexpr char kNameOfTheKernel[] = "@00000";

constexpr Verb kVerbOf[] = {Verb::kOpen, Verb::kConnect, Verb::kBind,  Verb::kListen,
                            Verb::kSend, Verb::kReceive, Verb::kOption};

std::optional<Family> FamilyOf(int family) {
  if (family == AF_INET) return Family::kIpv4;
  if (family == AF_INET6) return Family::kIpv6;
  if (family == AF_UNIX) return Family::kUnix;
  return std::nullopt;
}

// Absent: one that rules have no word for.
std::optional<Protocol> ProtocolOf(const net::SocketKind& kind) {
  if (kind.family == AF_UNIX) {
    if (kind.type == SOCK_STREAM) return Protocol::kStream;
    return kind.type == SOCK_DGRAM ? Protocol::kDgram : Protocol::kSeqpacket;
  }
  if (kind.type == SOCK_STREAM) return Protocol::kTcp;  // or what takes its place, as MPTCP
  if (kind.type == SOCK_DGRAM) return Protocol::kUdp;
  return std::nullopt;
}

// Is it what a kernel makes of socket(family, type, 0)?
bool IsPlain(const net::SocketKind& kind) {
  if (kind.family != AF_UNIX && kind.type != SOCK_STREAM && kind.type != SOCK_DGRAM) return false;
  if (kind.protocol == 0) return true;
  if (kind.family == AF_UNIX) return kind.protocol == PF_UNIX;
  return kind.protocol == (kind.type == SOCK_STREAM ? IPPROTO_TCP : IPPROTO_UDP);
}

Request Raw(const std::string& identity, const char* what, int number) {
  return {.identity = identity, .verb = Verb::kRaw, .name = what + std::to_string(number)};
}

std::string PathOf(const net::Place& place) {
  const net::SocketAddress& address = place.address;
  if (address.IsUnixPath()) return place.path;
  return address.IsUnixAbstract() ? "@" + address.unix_name() : kNameOfTheKernel;
}

}  // namespace

Request RequestOf(const std::string& identity, const net::Demand& demand) {
  Request request{.identity = identity, .verb = kVerbOf[static_cast<size_t>(demand.act)]};
  request.family = FamilyOf(demand.kind.family);
  request.protocol = ProtocolOf(demand.kind);
  request.name = demand.option;
  if (demand.act == net::Act::kOpen && !request.family) return Raw(identity, "family:", demand.kind.family);
  if (demand.act == net::Act::kOpen && !IsPlain(demand.kind)) {
    return Raw(identity, "protocol:", demand.kind.protocol);
  }
  if (demand.place == nullptr) return request;
  const net::SocketAddress& address = demand.place->address;
  if (address.family() == AF_UNIX) {
    request.family = Family::kUnix;
    request.path = PathOf(*demand.place);
    return request;
  }
  if (!address.IsInet()) return Raw(identity, "sockaddr:", address.family());
  request.ip = policy::Ip::Parse(address.ip());
  request.port = address.port();
  request.family = FamilyOf(address.family());
  request.v6only = demand.kind.family == AF_INET6 && !demand.kind.dual;
  return request;
}

}  // namespace socketeer::guard
