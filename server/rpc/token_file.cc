#include "server/rpc/token_file.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "server/base/printable.h"
#include "server/rpc/tls_files.h"

namespace socketeer::rpc {
namespace {

constexpr std::string_view kBlanks = " \t\r";
constexpr std::string_view kHashPrefix = "sha256:";
constexpr size_t kMaxNameChars = 63;
constexpr size_t kMaxShownChars = 80;

bool IsAlphanumeric(char c) { return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z'); }

bool IsName(std::string_view name) {
  const auto allowed = [](char c) { return IsAlphanumeric(c) || c == '.' || c == '_' || c == '@' || c == '-'; };
  return !name.empty() && name.size() <= kMaxNameChars && IsAlphanumeric(name[0]) &&
         std::all_of(name.begin(), name.end(), allowed);
}

std::optional<TokenHash> ParseHash(std::string_view text) {
  if (!text.starts_with(kHashPrefix)) return std::nullopt;
  text.remove_prefix(kHashPrefix.size());
  TokenHash hash{};
  if (text.size() != hash.size() * 2) return std::nullopt;
  for (size_t i = 0; i < hash.size(); ++i) {
    const char* const digits = text.data() + 2 * i;
    if (std::from_chars(digits, digits + 2, hash[i], 16).ptr != digits + 2) return std::nullopt;
  }
  return hash;
}

// The next word of a line, which loses it.
std::string_view TakeWord(std::string_view& line) {
  line.remove_prefix(std::min(line.find_first_not_of(kBlanks), line.size()));
  const std::string_view word = line.substr(0, line.find_first_of(kBlanks));
  line.remove_prefix(word.size());
  return word;
}

std::string Quoted(std::string_view text) { return '"' + base::Printable(text, kMaxShownChars) + '"'; }

// Reads one line into the table; what is wrong with it, or "".
std::string ReadLine(std::string_view line, TokenTable* table) {
  const std::string_view name = TakeWord(line);
  if (name.empty() || name.starts_with('#')) return "";
  if (!IsName(name)) {
    return "the name " + Quoted(name) + " must be a letter or digit, then up to 62 letters, digits, '.', '_', '@', '-'";
  }
  // Of a wrong hash nothing is repeated: it may be the token itself, by mistake.
  const auto hash = ParseHash(TakeWord(line));
  if (!hash) return "behind the name must stand sha256: and 64 hexadecimal digits";
  if (!TakeWord(line).empty()) return "there is something behind the hash";
  if (*hash == HashOf("")) return "the hash is that of an empty token";
  const auto same = std::find_if(table->begin(), table->end(), [&](const auto& entry) { return entry.hash == *hash; });
  if (same != table->end()) return "the hash stands there already, for " + Quoted(same->name);
  if (table->size() == kMaxTokens) return "more than " + std::to_string(kMaxTokens) + " tokens";
  table->push_back({std::string(name), *hash});
  return "";
}

}  // namespace

base::Result<TokenTable> ParseTokenFile(std::string_view text) {
  TokenTable table;
  for (size_t number = 1; !text.empty(); ++number) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    std::string wrong = ReadLine(line, &table);
    if (wrong.empty()) continue;
    base::Error error;
    error.message = std::to_string(number) + ": " + wrong;
    return error;
  }
  return table;
}

base::Result<TokenTable> ReadTokenFile(const std::string& path) {
  auto text = ReadOperatorFile("token_file", path, FileMode::kPrivate);
  if (!text.ok()) return std::move(text).error();
  auto table = ParseTokenFile(*text);
  if (table.ok()) return table;
  base::Error error = std::move(table).error();
  error.message = "token_file " + path + ":" + error.message;
  return error;
}

TokenHash HashOf(std::string_view token) {
  TokenHash hash{};
  SHA256(reinterpret_cast<const unsigned char*>(token.data()), token.size(), hash.data());
  return hash;
}

const TokenEntry* FindToken(const TokenTable& table, const TokenHash& hash) {
  const TokenEntry* found = nullptr;
  for (const TokenEntry& entry : table) {
    const bool same = CRYPTO_memcmp(entry.hash.data(), hash.data(), hash.size()) == 0;
    found = same ? &entry : found;
  }
  return found;
}

}  // namespace socketeer::rpc
