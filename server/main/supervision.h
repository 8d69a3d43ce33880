// The daemon's life after its start: signals, the service manager, and the drain.
#pragma once

#include <signal.h>

#include "server/main/service_manager.h"
#include "server/main/settings.h"
#include "server/rpc/server.h"

namespace socketeer {

// Before any thread starts: only Supervise() takes those that stop the daemon, reload it, or set its log's level.
sigset_t BlockSignals();

// Says that the daemon serves, and returns when it was told to stop and has drained. `signals` are blocked. Logs with
// spdlog.
void Supervise(rpc::Server& server, const ServiceManager& manager, const sigset_t& signals, const Settings& settings);

}  // namespace socketeer
