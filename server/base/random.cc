#include "server/base/random.h"

#include <sys/random.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>

namespace socketeer::base {
namespace {

template <size_t kSize>
std::array<uint8_t, kSize> RandomBytes() {
  static_assert(kSize <= 256, "only up to 256 bytes come whole and uninterrupted");
  std::array<uint8_t, kSize> bytes;
  ssize_t count;
  do {
    count = getrandom(bytes.data(), bytes.size(), 0);
  } while (count < 0 && errno == EINTR);                   // only right after boot, before the kernel is seeded
  if (count != static_cast<ssize_t>(kSize)) std::abort();  // a guessable name is worse than none
  return bytes;
}

}  // namespace

std::string RandomSocketId() {
  std::string id = "s-";
  for (uint8_t byte : RandomBytes<26>()) id += "abcdefghijklmnopqrstuvwxyz234567"[byte & 31];
  return id;
}

size_t RandomBelow(size_t limit) {
  // What is left above the last whole multiple would favour the low numbers.
  const uint64_t fair = UINT64_MAX - UINT64_MAX % limit;
  uint64_t number;
  do {
    const auto bytes = RandomBytes<sizeof(number)>();
    std::memcpy(&number, bytes.data(), sizeof(number));
  } while (number >= fair);
  return number % limit;
}

Uid RandomUid() {
  Uid bytes = RandomBytes<16>();
  bytes[6] = 0x40 | (bytes[6] & 0x0f);  // version 4
  bytes[8] = 0x80 | (bytes[8] & 0x3f);  // variant 10
  return bytes;
}

std::string TextOf(const Uid& uid) {
  std::string text;
  for (size_t i = 0; i < uid.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    text += "0123456789abcdef"[uid[i] >> 4];
    text += "0123456789abcdef"[uid[i] & 15];
  }
  return text;
}

}  // namespace socketeer::base
