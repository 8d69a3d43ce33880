// The generated stubs a Host speaks through: for a channel of your own, and for tests, which put mocks here
// ("socketeer/v1/socket_service_mock.grpc.pb.h"). Apart from host.h, because gRPC's headers cost a compiler seconds.
#pragma once

#include <memory>

#include "grpc/health/v1/health.grpc.pb.h"
#include "socketeer/v1/host_service.grpc.pb.h"
#include "socketeer/v1/session_service.grpc.pb.h"
#include "socketeer/v1/socket_service.grpc.pb.h"

namespace socketeer {

// Those of services that are not called may be null.
struct Stubs {
  std::shared_ptr<v1::SocketService::StubInterface> sockets;
  std::shared_ptr<v1::SessionService::StubInterface> sessions;
  std::shared_ptr<v1::HostService::StubInterface> host;
  std::shared_ptr<grpc::health::v1::Health::StubInterface> health;
  // What they speak through. Without it a watch or a hold whose connection broke is back up to 10 s later.
  std::shared_ptr<grpc::ChannelInterface> channel = nullptr;
};

}  // namespace socketeer
