// The daemon's bearer tokens: lines NAME sha256:HEX. The tokens themselves stand nowhere at the daemon.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "server/base/result.h"

namespace socketeer::rpc {

using TokenHash = std::array<uint8_t, 32>;  // SHA-256

struct TokenEntry {
  std::string name;  // [A-Za-z0-9][A-Za-z0-9._@-]{0,62}
  TokenHash hash{};
};
using TokenTable = std::vector<TokenEntry>;

// Each call's token is compared with all of them.
inline constexpr size_t kMaxTokens = 1'024;

// One entry a line; what begins with # and empty lines are passed over. A name may stand there more than once, with a
// hash of its own each, so that a token can be replaced while the one before it is still in use. The error's message
// is "LINE: why".
base::Result<TokenTable> ParseTokenFile(std::string_view text);

// From a file that no other user may read. Errors are for the operator: one line, which begins with FILE:LINE, or with
// the setting and the file.
base::Result<TokenTable> ReadTokenFile(const std::string& path);

TokenHash HashOf(std::string_view token);
// Null: no entry has it. Takes as long for one as for the other.
const TokenEntry* FindToken(const TokenTable& table, const TokenHash& hash);

}  // namespace socketeer::rpc
