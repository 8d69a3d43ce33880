#include "server/base/printable.h"

namespace socketeer::base {
namespace {

std::string Escaped(unsigned char byte) {
  constexpr char kHex[] = "0123456789abcdef";
  if (byte == '\\') return "\\\\";
  if (byte >= ' ' && byte <= '~') return std::string(1, static_cast<char>(byte));
  return {'\\', 'x', kHex[byte >> 4], kHex[byte & 15]};
}

}  // namespace

std::string Printable(std::string_view bytes, size_t max_chars) {
  std::string text;
  for (char byte : bytes) {
    const std::string next = Escaped(static_cast<unsigned char>(byte));
    if (next.size() > max_chars - text.size()) return text + "...";
    text += next;
  }
  return text;
}

}  // namespace socketeer::base
