// What clients ask of the far end of bulk transfers (flood.cc), as the first eight bytes of a connection.
#pragma once

#include <cstdint>

namespace socketeer::bench {

// In place of the number of bytes to send: it stops reading.
inline constexpr uint64_t kReadNothing = UINT64_MAX;

}  // namespace socketeer::bench
