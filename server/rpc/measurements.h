// The daemon's metrics: the one place where what is counted and what there is gets its name (docs/metrics.md).
#pragma once

#include <string>

#include "server/rpc/core.h"

namespace socketeer::rpc {

// The page, as of now. Any thread that is no loop's: it goes through all sockets. No label of it is anything that a
// caller chose or is.
std::string Measure(Core& core, base::WallTime started);

}  // namespace socketeer::rpc
