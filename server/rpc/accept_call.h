// AcceptSocket.
#pragma once

#include "server/rpc/call.h"
#include "socketeer/v1/socket_service.pb.h"

namespace socketeer::rpc {

base::Status StartAccept(Call& call, const v1::AcceptSocketRequest& request, v1::AcceptSocketResponse* response);

}  // namespace socketeer::rpc
