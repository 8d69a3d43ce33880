#include "server/rpc/page_token.h"

#include <algorithm>
#include <cstdio>

#include "absl/strings/escaping.h"
#include "server/registry/registry.h"

namespace socketeer::rpc {
namespace {

constexpr int32_t kDefaultPageSize = 100;

// FNV-1a: tells filters apart, also in another process; not a secret.
std::string Digest(const std::string& text) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const unsigned char c : text) hash = (hash ^ c) * 0x100000001b3;
  char hex[17];
  std::snprintf(hex, sizeof(hex), "%016llx", static_cast<unsigned long long>(hash));
  return hex;
}

}  // namespace

std::string MakePageToken(const std::string& last_id, const std::string& filter) {
  std::string token;
  absl::WebSafeBase64Escape(Digest(filter) + last_id, &token);
  return token;
}

base::Result<std::string> ReadPageToken(const std::string& token, const std::string& filter) {
  if (token.empty()) return std::string();
  const std::string digest = Digest(filter);
  std::string plain;
  if (absl::WebSafeBase64Unescape(token, &plain) && plain.starts_with(digest)) {
    std::string id = plain.substr(digest.size());
    if (registry::IsSocketId(id)) return id;
  }
  return base::InvalidField("page_token", token, "a next_page_token of a call with the same filter");
}

base::Result<uint32_t> PageSizeOf(int32_t asked, const base::Limits& limits) {
  if (asked < 0) return base::InvalidField("page_size", std::to_string(asked), "0 or more");
  return std::min(static_cast<uint32_t>(asked == 0 ? kDefaultPageSize : asked), limits.max_page_size);
}

}  // namespace socketeer::rpc
