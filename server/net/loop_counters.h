// What one loop and its sockets did, since it was made.
#pragma once

#include "server/base/counters.h"

namespace socketeer::net {

struct LoopCounters {
  // What passed the kernel.
  base::Counter bytes_sent;
  base::Counter bytes_received;
  base::Counter datagrams_sent;
  base::Counter datagrams_received;
  base::Counter accepted;
  // From when a timer was due, or a task was posted to a loop that had none, until it was run.
  base::Durations lag;
};

}  // namespace socketeer::net
