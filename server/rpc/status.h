// The one translator from the domain's errors to what goes over the wire.
#pragma once

#include <grpcpp/support/status.h>

#include "server/base/error.h"

namespace socketeer::rpc {

// With a google.rpc.Status (ErrorInfo, SocketError) in the details, at most base::kMaxErrorBytes in all.
grpc::Status ToGrpcStatus(const base::Error& error);

}  // namespace socketeer::rpc
