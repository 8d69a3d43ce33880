#include "server/rpc/certificate_name.h"

#include <algorithm>
#include <cctype>

namespace socketeer::rpc {
namespace {

constexpr size_t kMaxDnsBytes = 253;  // RFC 1035, in text
constexpr size_t kMaxLabelBytes = 63;

// In the C locale, which is the daemon's.
bool IsAsciiLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool IsAsciiDigit(char c) { return c >= '0' && c <= '9'; }

std::string InSmallLetters(std::string_view text) {
  std::string small(text);
  std::transform(small.begin(), small.end(), small.begin(), [](unsigned char c) { return std::tolower(c); });
  return small;
}

bool IsScheme(std::string_view text) {
  const auto allowed = [](char c) { return IsAsciiLetter(c) || IsAsciiDigit(c) || c == '+' || c == '-' || c == '.'; };
  return !text.empty() && IsAsciiLetter(text[0]) && std::all_of(text.begin(), text.end(), allowed);
}

// RFC 3986's unreserved and reserved characters and escapes, but for '*' and '#', and of the rest those in `also`.
bool IsUriText(std::string_view text, std::string_view also) {
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '%') {
      const auto hex = [&](size_t at) {
        return at < text.size() && std::isxdigit(static_cast<unsigned char>(text[at]));
      };
      if (!hex(i + 1) || !hex(i + 2)) return false;
      continue;
    }
    constexpr std::string_view kMarks = "-._~!$&'()+,;=:@";
    if (!IsAsciiLetter(c) && !IsAsciiDigit(c) && kMarks.find(c) == kMarks.npos && also.find(c) == also.npos) {
      return false;
    }
  }
  return true;
}

// What stands behind the scheme's colon: [//authority]path[?query][#fragment].
bool IsUriRest(std::string_view rest) {
  const size_t hash = rest.find('#');
  if (hash != rest.npos && !IsUriText(rest.substr(hash + 1), "/?")) return false;
  rest = rest.substr(0, hash);
  if (!rest.starts_with("//")) return !rest.empty() && IsUriText(rest, "/?");
  rest.remove_prefix(2);
  const std::string_view authority = rest.substr(0, rest.find_first_of("/?"));
  return !authority.empty() && IsUriText(authority, "[]") && IsUriText(rest.substr(authority.size()), "/?");
}

}  // namespace

std::string IdentityOfUri(std::string_view uri) {
  const size_t colon = uri.find(':');
  if (uri.size() > kMaxIdentityBytes || colon == uri.npos) return "";
  if (!IsScheme(uri.substr(0, colon)) || !IsUriRest(uri.substr(colon + 1))) return "";
  const std::string scheme = InSmallLetters(uri.substr(0, colon));
  const bool other = scheme == "uid" || scheme == "token" || scheme == "dns" || scheme == "anonymous";
  return other ? "" : std::string(uri);
}

std::string IdentityOfDns(std::string_view name) {
  if (name.empty() || name.size() > kMaxDnsBytes) return "";
  const auto plain = [](char c) { return IsAsciiLetter(c) || IsAsciiDigit(c) || c == '-' || c == '_'; };
  for (size_t at = 0; at <= name.size();) {
    const std::string_view label = name.substr(at, name.find('.', at) - at);
    if (label.empty() || label.size() > kMaxLabelBytes || label.front() == '-' || label.back() == '-') return "";
    if (!std::all_of(label.begin(), label.end(), plain)) return "";
    at += label.size() + 1;
  }
  return "dns:" + InSmallLetters(name);
}

}  // namespace socketeer::rpc
