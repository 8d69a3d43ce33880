// An open that may have to wait for its caller's quota of opens.
#pragma once

#include <functional>

#include "server/rpc/call.h"

namespace socketeer::rpc {

// Runs `go` when the caller may open one more socket, which is counted: at once, if that is now, else on another
// thread. `late`: the timeout of the call was over first. An error, and neither runs: LIMIT_REACHED. A call that is
// cancelled meanwhile, or meets the daemon's stop, fails.
base::Status WhenItMayOpen(Call& call, std::optional<std::chrono::nanoseconds> timeout, std::function<void()> go,
                           std::function<void()> late);

}  // namespace socketeer::rpc
