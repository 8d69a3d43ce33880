// Which names in a certificate can be an identity. A CA may sign anything, also what a policy's rules would take for a
// pattern, or for a caller who proves himself otherwise.
#pragma once

#include <string>
#include <string_view>

namespace socketeer::rpc {

inline constexpr size_t kMaxIdentityBytes = 512;

// The URI as it is. "" if it is none by RFC 3986, with a scheme and something behind it, has a '*', is longer than
// kMaxIdentityBytes, or has the scheme uid, token, dns or anonymous, whose identities are proven by other means.
std::string IdentityOfUri(std::string_view uri);

// "dns:" and the name in small letters. "" if it is no plain one: labels of letters, digits, '-' and '_', of 1 to 63
// bytes, 253 in all.
std::string IdentityOfDns(std::string_view name);

}  // namespace socketeer::rpc
