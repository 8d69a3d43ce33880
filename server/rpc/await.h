// AwaitSockets: poll(2) over sockets on many loops, and over names that do not exist yet.
#pragma once

#include "server/rpc/call.h"
#include "socketeer/v1/socket_service.pb.h"

namespace socketeer::rpc {

// Begins; ends the call. `response` is the call's.
base::Status StartAwait(Call& call, const v1::AwaitSocketsRequest& request, v1::AwaitSocketsResponse* response);

}  // namespace socketeer::rpc
