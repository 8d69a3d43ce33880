#include "client/lib/host_port.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cctype>
#include <string>

#include "socketeer/text.h"

namespace socketeer::internal {
namespace {

constexpr size_t kMaxHostNameBytes = 253;  // RFC 1035, in text

absl::Status Malformed(std::string_view text, std::string_view why) {
  return absl::InvalidArgumentError(Quoted(text) + ": " + std::string(why));
}

absl::StatusOr<HostPort> SplitBracketed(std::string_view text) {
  const size_t close = text.find(']');
  if (close == std::string_view::npos || text.find('[', 1) < close) {
    return Malformed(text, "'[' without its ']'; write [IPV6]:PORT, as in [::1]:80");
  }
  HostPort parts{.host = text.substr(1, close - 1), .bracketed = true, .port = std::nullopt};
  const std::string_view rest = text.substr(close + 1);
  if (rest.empty()) return parts;
  if (rest[0] != ':') return Malformed(text, "after ']' comes ':PORT', as in [::1]:80");
  parts.port = rest.substr(1);
  return parts;
}

bool IsAddress(int family, std::string_view text) {
  in6_addr room;
  if (text.find('\0') != std::string_view::npos) return false;
  return inet_pton(family, std::string(text).c_str(), &room) == 1;
}

}  // namespace

absl::StatusOr<HostPort> SplitHostPort(std::string_view text) {
  if (text.substr(0, 1) == "[") return SplitBracketed(text);
  if (text.find_first_of("[]") != std::string_view::npos) {
    return Malformed(text, "a bracket out of place; write [IPV6]:PORT, as in [::1]:80");
  }
  const size_t colon = text.find(':');
  if (colon == std::string_view::npos) return HostPort{.host = text, .port = std::nullopt};
  if (text.find(':', colon + 1) != std::string_view::npos) {
    return Malformed(text, "an IPv6 address stands in brackets; write [IPV6]:PORT, as in [::1]:80");
  }
  return HostPort{.host = text.substr(0, colon), .port = text.substr(colon + 1)};
}

absl::StatusOr<uint32_t> ParsePort(std::string_view text) {
  constexpr uint32_t kMaxPort = 65535;
  const bool digits =
      !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
  // Five digits are enough, and more would not fit.
  const uint32_t port = digits && text.size() <= 5 ? std::stoul(std::string(text)) : kMaxPort + 1;
  if (port <= kMaxPort) return port;
  if (text.empty()) return absl::InvalidArgumentError("the port is missing; it is 0 to 65535");
  return absl::InvalidArgumentError("port " + Quoted(text) + " is not 0 to 65535");
}

bool IsIpv4(std::string_view text) { return IsAddress(AF_INET, text); }
bool IsIpv6(std::string_view text) { return IsAddress(AF_INET6, text); }

bool IsHostName(std::string_view text) {
  const auto allowed = [](unsigned char c) {
    return c < 0x80 && (std::isalnum(c) || c == '.' || c == '-' || c == '_');
  };
  return !text.empty() && text.size() <= kMaxHostNameBytes && std::all_of(text.begin(), text.end(), allowed) &&
         text.find_first_not_of("0123456789.") != std::string_view::npos;
}

}  // namespace socketeer::internal
