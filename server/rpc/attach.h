// AttachSocket.
#pragma once

#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include "server/rpc/core.h"

namespace socketeer::rpc {

// Its messages are bytes: attach.proto's, without the copies that parsing them makes.
grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* StartAttach(Core& core,
                                                                         const grpc::CallbackServerContext& context);

}  // namespace socketeer::rpc
