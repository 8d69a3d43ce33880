// Names that nobody can guess, from getrandom(2). Thread-safe; never fails (the process ends if the
// kernel has no randomness at all).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

namespace socketeer::base {

// "s-" and 26 characters of lower-case base32 (RFC 4648): 130 random bits.
std::string RandomSocketId();

// Each number below `limit`, which is not 0, is as likely as another.
size_t RandomBelow(size_t limit);

// A UUID of version 4 (RFC 9562): 122 random bits.
using Uid = std::array<uint8_t, 16>;
Uid RandomUid();
// As RFC 9562 writes it, lower-case.
std::string TextOf(const Uid& uid);

}  // namespace socketeer::base
