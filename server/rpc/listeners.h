// All the places where the daemon listens for its callers.
#pragma once

#include <vector>

#include "server/base/fd.h"
#include "server/base/result.h"
#include "server/guard/guard.h"
#include "server/net/syscalls.h"
#include "server/rpc/listener.h"
#include "server/rpc/server.h"

namespace socketeer::rpc {

// A socket that listens already, of TCP or at a UNIX path, as service managers hand them over. Its path stays when it
// is closed. One of a network is refused without protection, as by Listen().
base::Result<Listener> Adopt(base::Fd fd, const Protection& protection);

// Those that were handed over, then those that are named, in that order; callers' sockets are kept off all of them. On
// failure none is left.
base::Result<std::vector<Listener>> ListenAll(const ServerSettings& settings, guard::Guard& guard,
                                              net::Syscalls& syscalls);

}  // namespace socketeer::rpc
