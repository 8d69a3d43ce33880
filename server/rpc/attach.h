// AttachSocket.
#pragma once

#include <grpcpp/support/server_callback.h>

#include "server/rpc/core.h"
#include "socketeer/v1/attach.pb.h"

namespace socketeer::rpc {

grpc::ServerBidiReactor<v1::AttachSocketRequest, v1::AttachSocketResponse>* StartAttach(
    Core& core, const grpc::CallbackServerContext& context);

}  // namespace socketeer::rpc
