#include <optional>
#include <string>

#include "client/lib/host_port.h"
#include "socketeer/endpoint.h"
#include "socketeer/status_macros.h"
#include "socketeer/text.h"

namespace socketeer {
namespace {

constexpr size_t kMaxPathBytes = 108;      // sizeof(sockaddr_un::sun_path), no NUL behind it
constexpr size_t kMaxAbstractBytes = 107;  // the same, less the leading NUL
constexpr std::string_view kUnixPrefix = "unix:";

absl::Status Malformed(std::string_view text, std::string_view why) {
  return absl::InvalidArgumentError(Quoted(text) + ": " + std::string(why));
}

absl::StatusOr<v1::Endpoint> UnixPath(std::string_view text, std::string_view path, EndpointUse use) {
  v1::Endpoint endpoint;
  if (path.empty()) {
    if (use == EndpointUse::kConnect) {
      return Malformed(text, "the path is empty; a UNIX path is 1 to 108 bytes");
    }
    endpoint.mutable_unix_domain();  // autobind
    return endpoint;
  }
  if (path.size() > kMaxPathBytes) {
    return Malformed(text, "a path of " + std::to_string(path.size()) + " bytes; a UNIX path is 1 to 108 bytes");
  }
  if (path.find('\0') != std::string_view::npos) {
    return Malformed(text, "a NUL byte; a UNIX path has none");
  }
  endpoint.mutable_unix_domain()->set_path(std::string(path));
  return endpoint;
}

// nullopt: a backslash that begins neither `\\` nor `\xNN`.
std::optional<std::string> Unescaped(std::string_view text) {
  std::string bytes;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      bytes += text[i];
    } else if (text.substr(i, 2) == "\\\\") {
      bytes += '\\';
      i += 1;
    } else if (text.substr(i, 2) == "\\x" && i + 3 < text.size() && HexDigitValue(text[i + 2]) >= 0 &&
               HexDigitValue(text[i + 3]) >= 0) {
      bytes += static_cast<char>(HexDigitValue(text[i + 2]) * 16 + HexDigitValue(text[i + 3]));
      i += 3;
    } else {
      return std::nullopt;
    }
  }
  return bytes;
}

absl::StatusOr<v1::Endpoint> UnixAbstract(std::string_view text) {
  const std::optional<std::string> name = Unescaped(text.substr(1));
  if (!name.has_value()) {
    return Malformed(text, "a lone backslash; write \\\\ for a backslash and \\xNN for a byte");
  }
  if (name->size() > kMaxAbstractBytes) {
    return Malformed(text,
                     "a name of " + std::to_string(name->size()) + " bytes; an abstract name is at most 107 bytes");
  }
  v1::Endpoint endpoint;
  endpoint.mutable_unix_domain()->set_abstract_name(*name);
  return endpoint;
}

v1::Endpoint Named(std::string_view host, uint32_t port) {
  v1::Endpoint endpoint;
  endpoint.mutable_named()->set_host(std::string(host));
  endpoint.mutable_named()->set_port(port);
  return endpoint;
}

v1::Endpoint Inet(std::string_view ip, std::string_view scope, uint32_t port) {
  v1::Endpoint endpoint;
  endpoint.mutable_inet()->set_ip(std::string(ip));
  endpoint.mutable_inet()->set_scope(std::string(scope));
  endpoint.mutable_inet()->set_port(port);
  return endpoint;
}

absl::StatusOr<v1::Endpoint> Bracketed(std::string_view text, std::string_view host, uint32_t port) {
  const size_t percent = host.find('%');
  const std::string_view ip = host.substr(0, percent);
  if (!internal::IsIpv6(ip)) {
    return Malformed(text, "in brackets stands an IPv6 address, as in [::1]:80, not " + Quoted(host));
  }
  if (percent == std::string_view::npos) return Inet(ip, "", port);
  const std::string_view scope = host.substr(percent + 1);
  if (scope.empty() || !IsUtf8(scope)) {
    return Malformed(text, "after '%' comes an interface, as in [fe80::1%eth0]:80");
  }
  return Inet(ip, scope, port);
}

absl::StatusOr<v1::Endpoint> HostAndPort(std::string_view text, EndpointUse use) {
  SOCKETEER_ASSIGN_OR_RETURN(const internal::HostPort parts, internal::SplitHostPort(text));
  if (!parts.port.has_value()) {
    return Malformed(text,
                     "the port is missing; write HOST:PORT, [IPV6]:PORT, a path as /PATH, ./PATH "
                     "or unix:PATH, or @NAME");
  }
  const absl::StatusOr<uint32_t> port = internal::ParsePort(*parts.port);
  if (!port.ok()) return Malformed(text, std::string(port.status().message()));
  if (parts.bracketed) return Bracketed(text, parts.host, *port);
  if (parts.host.empty()) {
    if (use == EndpointUse::kBind) return Named("", *port);
    return Malformed(text, "the host is missing; only a bind may leave it out");
  }
  if (internal::IsIpv4(parts.host)) return Inet(parts.host, "", *port);
  if (internal::IsHostName(parts.host)) return Named(parts.host, *port);
  return Malformed(text, Quoted(parts.host) +
                             " is neither an IPv4 address nor a name, which has up to 253 letters, "
                             "digits, '.', '-' and '_'");
}

}  // namespace

absl::StatusOr<v1::Endpoint> ParseEndpoint(std::string_view text, EndpointUse use) {
  if (text.substr(0, kUnixPrefix.size()) == kUnixPrefix) {
    return UnixPath(text, text.substr(kUnixPrefix.size()), use);
  }
  if (text.substr(0, 1) == "@") return UnixAbstract(text);
  if (text.substr(0, 1) == "/" || text.substr(0, 2) == "./" || text.substr(0, 3) == "../") {
    return UnixPath(text, text, use);
  }
  return HostAndPort(text, use);
}

}  // namespace socketeer
