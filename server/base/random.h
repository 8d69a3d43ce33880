// Names that nobody can guess, from getrandom(2). Thread-safe; never fails (the process ends if the
// kernel has no randomness at all).
#pragma once

#include <string>

namespace socketeer::base {

// "s-" and 26 characters of lower-case base32 (RFC 4648): 130 random bits.
std::string RandomSocketId();

// A UUID of version 4 (RFC 9562), lower-case: 122 random bits.
std::string RandomUid();

}  // namespace socketeer::base
