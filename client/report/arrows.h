// What one host did to another, found in what a run recorded.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "client/report/result.h"

namespace socketeer::report {

struct Arrow {
  enum class Kind {
    kConnection,  // a connect, and the accept that took it
    kData,        // a send, and a receive of what it sent
    kEnd,         // a shutdown or close, and the receive that found the end of the stream
  };

  size_t from = 0;  // an index of the events; on another host than `to`
  size_t to = 0;
  Kind kind = Kind::kData;
  uint64_t bytes = 0;  // of kData
};

// By `from`. The two ends of a connection are known by their addresses, so there is no arrow through what rewrites
// them. Bytes of a stream count from its beginning; a datagram is known by its size. Where that leaves a doubt there is
// no arrow.
std::vector<Arrow> FindArrows(const std::vector<Event>& events);

}  // namespace socketeer::report
