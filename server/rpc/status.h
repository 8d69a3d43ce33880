// The one translator from the domain's errors to what goes over the wire.
#pragma once

#include <grpcpp/support/status.h>

#include "google/rpc/status.pb.h"
#include "server/base/error.h"

namespace socketeer::rpc {

// With ErrorInfo and SocketError, at most base::kMaxErrorBytes in all.
google::rpc::Status ToRichStatus(const base::Error& error);
// With that in the details.
grpc::Status ToGrpcStatus(const base::Error& error);
// "NOT_FOUND". `code`: one of gRPC's, from 0 to 16.
const char* CodeName(int code);

}  // namespace socketeer::rpc
