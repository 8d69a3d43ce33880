// OpenSocket: takes the name, opens on a shard, publishes. A name with several addresses is tried address by address.
#pragma once

#include <memory>
#include <vector>

#include "server/rpc/call.h"
#include "server/rpc/open_plan.h"

namespace socketeer::rpc {

// Begins; ends the call. `response` is the call's.
base::Status StartOpen(Call& call, const v1::OpenSocketRequest& request, v1::OpenSocketResponse* response);

}  // namespace socketeer::rpc
