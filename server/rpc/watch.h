// WatchSockets.
#pragma once

#include <grpcpp/support/server_callback.h>

#include "server/rpc/core.h"
#include "socketeer/v1/watch.pb.h"

namespace socketeer::rpc {

grpc::ServerWriteReactor<v1::WatchSocketsResponse>* StartWatch(Core& core, const grpc::CallbackServerContext& context,
                                                               const v1::WatchSocketsRequest& request);

}  // namespace socketeer::rpc
