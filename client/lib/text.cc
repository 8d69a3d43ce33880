#include "socketeer/text.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

#include "absl/strings/str_replace.h"

namespace socketeer {
namespace {

constexpr size_t kMaxQuotedBytes = 120;

// The length of the well-formed sequence (RFC 3629) that `bytes` begins with; 0 when there is none.
size_t SequenceLength(std::string_view bytes) {
  const auto byte = [&](size_t index) { return static_cast<unsigned char>(bytes[index]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return 1;
  const size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || bytes.size() < length) return 0;
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  // Overlong forms, surrogates, and what is above U+10FFFF.
  if (lead == 0xe0 && byte(1) < 0xa0) return 0;
  if (lead == 0xed && byte(1) > 0x9f) return 0;
  if (lead == 0xf0 && byte(1) < 0x90) return 0;
  if (lead == 0xf4 && byte(1) > 0x8f) return 0;
  return length;
}

std::string Escaped(unsigned char byte) {
  constexpr char kHex[] = "0123456789abcdef";
  return {'\\', 'x', kHex[byte >> 4], kHex[byte & 15]};
}

// U+0080 to U+009F in UTF-8: some terminals obey them as control characters.
bool IsControlSequence(std::string_view sequence) {
  return sequence.size() == 2 && sequence[0] == '\xc2' && static_cast<unsigned char>(sequence[1]) < 0xa0;
}

// What turns the direction of text: in UTF-8, and as JSON and YAML escape it.
constexpr std::array<std::pair<const char*, const char*>, 12> kTurns = {{
    {"\xd8\x9c", "\\u061c"},
    {"\xe2\x80\x8e", "\\u200e"},
    {"\xe2\x80\x8f", "\\u200f"},
    {"\xe2\x80\xaa", "\\u202a"},
    {"\xe2\x80\xab", "\\u202b"},
    {"\xe2\x80\xac", "\\u202c"},
    {"\xe2\x80\xad", "\\u202d"},
    {"\xe2\x80\xae", "\\u202e"},
    {"\xe2\x81\xa6", "\\u2066"},
    {"\xe2\x81\xa7", "\\u2067"},
    {"\xe2\x81\xa8", "\\u2068"},
    {"\xe2\x81\xa9", "\\u2069"},
}};

bool IsTurn(std::string_view sequence) {
  return std::any_of(kTurns.begin(), kTurns.end(), [&](const auto& turn) { return sequence == turn.first; });
}

}  // namespace

bool IsUtf8(std::string_view bytes) {
  while (!bytes.empty()) {
    const size_t length = SequenceLength(bytes);
    if (length == 0) return false;
    bytes.remove_prefix(length);
  }
  return true;
}

std::string Printable(std::string_view bytes, size_t max_bytes) {
  if (bytes.size() > max_bytes) {
    size_t end = max_bytes;
    while (end > 0 && (bytes[end] & 0xc0) == 0x80) --end;  // not within a character
    return Printable(bytes.substr(0, end)) + "...";
  }
  std::string text;
  const bool utf8 = IsUtf8(bytes);
  while (!bytes.empty()) {
    const std::string_view next = bytes.substr(0, utf8 ? SequenceLength(bytes) : 1);
    const unsigned char lead = static_cast<unsigned char>(next[0]);
    if (lead == '\\') {
      text += "\\\\";
    } else if ((lead >= ' ' && lead <= '~') || (next.size() > 1 && !IsControlSequence(next) && !IsTurn(next))) {
      text += next;
    } else {
      for (const char byte : next) text += Escaped(static_cast<unsigned char>(byte));
    }
    bytes.remove_prefix(next.size());
  }
  return text;
}

std::string WithTurnsEscaped(std::string_view document) {
  return absl::StrReplaceAll(absl::string_view(document.data(), document.size()), kTurns);
}

int HexDigitValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string Quoted(std::string_view bytes) { return '"' + Printable(bytes, kMaxQuotedBytes) + '"'; }

}  // namespace socketeer
