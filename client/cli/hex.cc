#include "client/cli/hex.h"

#include "socketeer/text.h"

namespace socketeer::cli {
absl::StatusOr<std::string> ParseHex(std::string_view text) {
  std::string bytes;
  size_t i = 0;
  while (i < text.size()) {
    if (text[i] == ' ' || text[i] == ':' || text[i] == '\n' || text[i] == '\t') {
      ++i;
      continue;
    }
    const int high = HexDigitValue(text[i]);
    const int low = i + 1 < text.size() ? HexDigitValue(text[i + 1]) : -1;
    if (high < 0 || low < 0) {
      return absl::InvalidArgumentError(Quoted(text) + " is not pairs of hexadecimal digits, as in 00ff17");
    }
    bytes += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return bytes;
}

}  // namespace socketeer::cli
