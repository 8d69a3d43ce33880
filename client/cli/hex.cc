#include "client/cli/hex.h"

#include "socketeer/text.h"

namespace socketeer::cli {
namespace {

int DigitValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

absl::StatusOr<std::string> ParseHex(std::string_view text) {
  std::string bytes;
  size_t i = 0;
  while (i < text.size()) {
    if (text[i] == ' ' || text[i] == ':' || text[i] == '\n' || text[i] == '\t') {
      ++i;
      continue;
    }
    const int high = DigitValue(text[i]);
    const int low = i + 1 < text.size() ? DigitValue(text[i + 1]) : -1;
    if (high < 0 || low < 0) {
      return absl::InvalidArgumentError(Quoted(text) +
                                        " is not pairs of hexadecimal digits, as in 00ff17");
    }
    bytes += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return bytes;
}

}  // namespace socketeer::cli
