#include <string>

#include "absl/strings/str_replace.h"
#include "socketeer/endpoint.h"
#include "socketeer/text.h"

namespace socketeer {
namespace {

std::string FormatInet(const v1::InetEndpoint& inet) {
  const std::string port = ":" + std::to_string(inet.port());
  if (inet.ip().find(':') == std::string::npos) return Printable(inet.ip()) + port;
  const std::string scope = inet.scope().empty() ? "" : "%" + inet.scope();
  return "[" + Printable(inet.ip() + scope) + "]" + port;
}

// As it is, when a terminal may have it: that can be typed again.
std::string PathText(const std::string& path) {
  std::string shown = Printable(path);
  return shown == absl::StrReplaceAll(path, {{"\\", "\\\\"}}) ? path : shown;
}

std::string FormatUnix(const v1::UnixEndpoint& endpoint) {
  if (endpoint.has_abstract_name()) return "@" + Printable(endpoint.abstract_name());
  const std::string& path = endpoint.path();
  const bool plain = path.starts_with("/") || path.starts_with("./") || path.starts_with("../");
  return (plain ? "" : "unix:") + PathText(path);
}

std::string FormatRaw(const std::string& bytes) {
  constexpr char kHex[] = "0123456789abcdef";
  std::string text = "raw:";
  for (const char byte : bytes) {
    text += kHex[static_cast<unsigned char>(byte) >> 4];
    text += kHex[byte & 15];
  }
  return text;
}

}  // namespace

std::string FormatEndpoint(const v1::Endpoint& endpoint) {
  switch (endpoint.address_case()) {
    case v1::Endpoint::kInet:
      return FormatInet(endpoint.inet());
    case v1::Endpoint::kUnixDomain:
      return FormatUnix(endpoint.unix_domain());
    case v1::Endpoint::kNamed:
      return Printable(endpoint.named().host()) + ":" + std::to_string(endpoint.named().port());
    case v1::Endpoint::kRaw:
      return FormatRaw(endpoint.raw());
    case v1::Endpoint::ADDRESS_NOT_SET:
      return "";
  }
  return "";
}

}  // namespace socketeer
