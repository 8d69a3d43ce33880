#include "server/policy/request.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>
#include <utility>

namespace socketeer::policy {
namespace {

constexpr size_t kMaxWord = 1'024;

constexpr std::array<std::string_view, kVerbs> kVerbNames = {
    "open", "connect", "bind", "listen", "send", "receive", "option", "resolve", "raw", "observe", "end", "administer"};
constexpr std::array<std::string_view, 3> kFamilyNames = {"ipv4", "ipv6", "unix"};
constexpr std::array<std::string_view, 5> kProtocolNames = {"tcp", "udp", "stream", "dgram", "seqpacket"};

template <typename Enum, size_t n>
std::optional<Enum> Named(const std::array<std::string_view, n>& names, std::string_view name) {
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) return std::nullopt;
  return static_cast<Enum>(std::distance(names.begin(), found));
}

// How people name a kind of socket.
struct Kind {
  std::string_view name;
  std::optional<Family> family;  // absent: the address decides
  Protocol protocol;
};
constexpr Kind kKinds[] = {
    {"tcp", std::nullopt, Protocol::kTcp},
    {"udp", std::nullopt, Protocol::kUdp},
    {"tcp4", Family::kIpv4, Protocol::kTcp},
    {"tcp6", Family::kIpv6, Protocol::kTcp},
    {"udp4", Family::kIpv4, Protocol::kUdp},
    {"udp6", Family::kIpv6, Protocol::kUdp},
    {"unix", Family::kUnix, Protocol::kStream},
    {"unix-dgram", Family::kUnix, Protocol::kDgram},
    {"unix-seqpacket", Family::kUnix, Protocol::kSeqpacket},
};

std::string_view KindOf(const Request& request) {
  const auto found = std::find_if(std::begin(kKinds), std::end(kKinds), [&](const Kind& kind) {
    return kind.protocol == request.protocol &&
           (request.ip && !request.v6only ? !kind.family : kind.family == request.family);
  });
  return found == std::end(kKinds) ? "" : found->name;
}

base::Error Wrong(std::string_view given, std::string allowed) {
  return base::InvalidField("endpoint", std::string(given), std::move(allowed));
}

// "10.0.0.1:80", "[::1]:80".
base::Status ParseIpAndPort(std::string_view text, Request* request) {
  constexpr char kForms[] = "an IP address and a port, as 10.0.0.1:80 or [::1]:80";
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return Wrong(text, kForms);
  std::string_view host = text.substr(0, colon);
  const bool brackets = host.starts_with('[') && host.ends_with(']');
  if (brackets) host = host.substr(1, host.size() - 2);
  const auto ip = Ip::Parse(host);
  const char* const end = text.data() + text.size();
  const auto port = std::from_chars(text.data() + colon + 1, end, request->port);
  if (!ip || ip->is_v4() == brackets || port.ec != std::errc() || port.ptr != end) return Wrong(text, kForms);
  request->ip = ip;
  request->family = ip->is_v4() ? Family::kIpv4 : Family::kIpv6;
  return base::Ok();
}

base::Status ParseKind(std::string_view word, Request* request) {
  const auto kind =
      std::find_if(std::begin(kKinds), std::end(kKinds), [&](const Kind& each) { return each.name == word; });
  if (kind == std::end(kKinds)) {
    return Wrong(word,
                 "tcp, udp, tcp4, tcp6, udp4, udp6, unix, unix-dgram or unix-seqpacket" +
                     std::string(ObjectOfVerb(request->verb) == ObjectOf::kSocket ? "" : ", and :ADDRESS behind it"));
  }
  request->family = kind->family;
  request->protocol = kind->protocol;
  return base::Ok();
}

base::Status ParseAddress(std::string_view text, Request* request) {
  const size_t colon = text.find(':');
  if (auto status = ParseKind(text.substr(0, colon), request); !status.ok()) return status;
  const std::string_view address = colon == std::string_view::npos ? "" : text.substr(colon + 1);
  if (request->family != Family::kUnix) {
    const auto family = request->family;
    if (auto status = ParseIpAndPort(address, request); !status.ok()) return status;
    request->v6only = family == Family::kIpv6;
    // A tcp6 socket may use an IPv4 address in its IPv6 form, and no socket another family's.
    if (family && family != request->family) return Wrong(text, "an address of the socket's family");
    return base::Ok();
  }
  request->path = address;
  if (!IsRealPath(request->path))
    return Wrong(text, "an absolute path without \".\", \"..\" and empty parts, or @NAME");
  return base::Ok();
}

base::Status ParseName(std::string_view name, Request* request) {
  const auto plain = [](char c) { return c > ' ' && c <= '~'; };
  if (name.empty() || name.size() > kMaxWord || !std::all_of(name.begin(), name.end(), plain)) {
    return Wrong(name, "a name of at most 1024 bytes");
  }
  request->name = name;
  return base::Ok();
}

base::Status ParseObject(std::string_view object, Request* request) {
  switch (ObjectOfVerb(request->verb)) {
    case ObjectOf::kAddress:
      return ParseAddress(object, request);
    case ObjectOf::kSocket:
      if (auto status = ParseKind(object, request); !status.ok()) return status;
      if (!request->family) return Wrong(object, "the family too: tcp4, tcp6, udp4 or udp6");
      return base::Ok();
    case ObjectOf::kName:
      return ParseName(object, request);
    case ObjectOf::kNothing:
      break;
  }
  if (!object.empty()) return Wrong(object, "absent: " + std::string(NameOf(request->verb)) + " is done to nothing");
  return base::Ok();
}

}  // namespace

std::string_view NameOf(Verb verb) { return kVerbNames[static_cast<size_t>(verb)]; }
std::string_view NameOf(Family family) { return kFamilyNames[static_cast<size_t>(family)]; }
std::string_view NameOf(Protocol protocol) { return kProtocolNames[static_cast<size_t>(protocol)]; }
std::optional<Verb> VerbNamed(std::string_view name) { return Named<Verb>(kVerbNames, name); }
std::optional<Family> FamilyNamed(std::string_view name) { return Named<Family>(kFamilyNames, name); }
std::optional<Protocol> ProtocolNamed(std::string_view name) { return Named<Protocol>(kProtocolNames, name); }

ObjectOf ObjectOfVerb(Verb verb) {
  switch (verb) {
    case Verb::kOpen:
      return ObjectOf::kSocket;
    case Verb::kConnect:
    case Verb::kBind:
    case Verb::kListen:
    case Verb::kSend:
    case Verb::kReceive:
      return ObjectOf::kAddress;
    case Verb::kOption:
    case Verb::kResolve:
    case Verb::kRaw:
      return ObjectOf::kName;
    case Verb::kObserve:
    case Verb::kEnd:
    case Verb::kAdminister:
      break;
  }
  return ObjectOf::kNothing;
}

bool IsIdentity(std::string_view text, bool pattern) {
  const auto plain = [&](char c) { return c > ' ' && c <= '~' && c != ',' && (pattern || c != '*'); };
  if (text.size() > kMaxWord || !std::all_of(text.begin(), text.end(), plain)) return false;
  if (text == "anonymous" || (pattern && text == "**")) return true;
  if (text.starts_with("uid:")) {
    const std::string_view uid = text.substr(4);
    if (pattern && uid == "*") return true;
    const bool digits = std::all_of(uid.begin(), uid.end(), [](char c) { return c >= '0' && c <= '9'; });
    return digits && !uid.empty() && uid.size() <= 10 && (uid == "0" || uid[0] != '0');
  }
  for (const std::string_view prefix : {"token:", "dns:"}) {
    if (text.starts_with(prefix)) return text.size() > prefix.size();
  }
  const size_t scheme = text.find("://");
  return scheme != text.npos && scheme > 0 && text.size() > scheme + 3 &&
         std::all_of(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(scheme), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.';
         });
}

bool IsRealPath(std::string_view path) {
  if (path.find('\0') != path.npos) return false;
  if (path.starts_with('@')) return path.size() > 1;
  if (!path.starts_with('/') || path.ends_with('/')) return false;
  for (size_t at = 0; at < path.size();) {
    const size_t end = std::min(path.find('/', at + 1), path.size());
    const std::string_view part = path.substr(at + 1, end - at - 1);
    if (part.empty() || part == "." || part == "..") return false;
    at = end;
  }
  return true;
}

std::string Request::ToString() const {
  std::string text(NameOf(verb));
  const std::string_view kind = KindOf(*this);
  std::string object(kind);
  if (ip) {
    object += ":" + (ip->is_v4() ? ip->ToString() : "[" + ip->ToString() + "]") + ":" + std::to_string(port);
  } else if (!path.empty()) {
    object += ":" + path;
  } else if (!name.empty()) {
    object = name;
  }
  return object.empty() ? text : text + " " + object;
}

base::Result<Request> ParseRequest(const std::string& identity, std::string_view verb, std::string_view object) {
  Request request{.identity = identity};
  if (!IsIdentity(identity)) {
    return base::InvalidField("identity", identity,
                              "a caller's: anonymous, or as uid:1000, token:ci, dns:ci.example or spiffe://lab/ci");
  }
  const auto known = VerbNamed(verb);
  if (!known) {
    std::string names;
    for (const std::string_view name : kVerbNames) names += (names.empty() ? "" : ", ") + std::string(name);
    return base::InvalidField("verb", std::string(verb), "one of " + names);
  }
  request.verb = *known;
  if (auto status = ParseObject(object, &request); !status.ok()) return std::move(status).error();
  return request;
}

}  // namespace socketeer::policy
