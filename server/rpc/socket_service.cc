#include "server/rpc/socket_service.h"

#include <google/protobuf/descriptor.h>

namespace socketeer::rpc {

// Generated code offers byte buffers for a method, but not together with messages for the others. So this does for
// AttachSocket what it would.
SocketService::SocketService(Core& core) : core_(core) {
  using Handler = grpc::internal::CallbackBidiHandler<grpc::ByteBuffer, grpc::ByteBuffer>;
  const auto* const service =
      google::protobuf::DescriptorPool::generated_pool()->FindServiceByName(v1::SocketService::service_full_name());
  MarkMethodRawCallback(service->FindMethodByName("AttachSocket")->index(),
                        new Handler([this](Context* context) { return StartAttach(core_, *context); }));
}

}  // namespace socketeer::rpc
