// AwaitBarrier: a call that is a party of a barrier.
#pragma once

#include "server/rpc/call.h"
#include "socketeer/v1/coordination_service.pb.h"

namespace socketeer::rpc {

// Begins; ends the call. `response` is the call's.
base::Status StartBarrier(Call& call, const v1::AwaitBarrierRequest& request, v1::AwaitBarrierResponse* response);

}  // namespace socketeer::rpc
