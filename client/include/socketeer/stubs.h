// The stubs a Host speaks through: for a channel of your own, and for tests, which put mocks here. Apart from host.h,
// because gRPC's headers cost a compiler seconds.
#pragma once

#include <memory>

#include "grpc/health/v1/health.grpc.pb.h"
#include "grpcpp/client_context.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/client_callback.h"
#include "socketeer/v1/coordination_service.grpc.pb.h"
#include "socketeer/v1/host_service.grpc.pb.h"
#include "socketeer/v1/session_service.grpc.pb.h"
#include "socketeer/v1/socket_service.grpc.pb.h"

namespace socketeer {

// Begins calls of AttachSocket. Not the generated stub, because what is in a frame passes without a copy: as the bytes
// of the messages, AttachSocketRequest and AttachSocketResponse. A test's own binds the reactor to its own
// grpc::ClientCallbackReaderWriter. It calls the reactor's reactions (OnReadDone, OnWriteDone, OnDone and so on) on
// threads of its own, as gRPC does, and never inside of AttachSocket, StartRead, StartWrite, StartCall or the context's
// TryCancel: the library holds a lock that they take.
class AttachStub {
 public:
  using Reactor = grpc::ClientBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>;

  virtual ~AttachStub() = default;
  // Binds `reactor` to a new call, which begins with the reactor's StartCall. Both live until its OnDone.
  virtual void AttachSocket(grpc::ClientContext* context, Reactor* reactor) = 0;
};

std::shared_ptr<AttachStub> NewAttachStub(std::shared_ptr<grpc::ChannelInterface> channel);

// Those of services that are not called may be null.
struct Stubs {
  std::shared_ptr<v1::SocketService::StubInterface> sockets;
  std::shared_ptr<v1::SessionService::StubInterface> sessions;
  std::shared_ptr<v1::HostService::StubInterface> host;
  std::shared_ptr<grpc::health::v1::Health::StubInterface> health;
  // What they speak through. Without it a watch or a hold whose connection broke is back up to 10 s later.
  std::shared_ptr<grpc::ChannelInterface> channel = nullptr;
  // For streams. Null: made of `channel`.
  std::shared_ptr<AttachStub> attach = nullptr;
  std::shared_ptr<v1::CoordinationService::StubInterface> coordination = nullptr;
};

}  // namespace socketeer
