// grpc::Status as a daemon makes it.
#pragma once

#include <string>

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "grpcpp/support/status.h"
#include "socketeer/v1/error.pb.h"

namespace socketeer {

inline grpc::Status DaemonStatus(grpc::StatusCode code, const std::string& message, const std::string& reason,
                                 const v1::SocketError& error) {
  google::rpc::ErrorInfo info;
  info.set_domain("socketeer");
  info.set_reason(reason);
  google::rpc::Status rich;
  rich.set_code(code);
  rich.set_message(message);
  rich.add_details()->PackFrom(info);
  rich.add_details()->PackFrom(error);
  return grpc::Status(code, message, rich.SerializeAsString());
}

inline grpc::Status DaemonStatus(grpc::StatusCode code, const std::string& reason, v1::Origin origin) {
  v1::SocketError error;
  error.set_origin(origin);
  return DaemonStatus(code, "the daemon says " + reason, reason, error);
}

// A connect to 10.0.0.1:80 that the peer refused.
inline grpc::Status RefusedPeer() {
  v1::SocketError error;
  error.set_operation("connect");
  error.set_system_call("connect");
  error.set_socket("sockets/web");
  error.set_state(v1::STATE_BOUND);
  error.set_errno_number(111);
  error.set_errno_name("ECONNREFUSED");
  error.set_origin(v1::ORIGIN_KERNEL);
  error.mutable_local()->mutable_inet()->set_ip("10.0.0.2");
  error.mutable_local()->mutable_inet()->set_port(4000);
  error.mutable_peer()->mutable_inet()->set_ip("10.0.0.1");
  error.mutable_peer()->mutable_inet()->set_port(80);
  return DaemonStatus(grpc::StatusCode::FAILED_PRECONDITION, "connect: Connection refused (ECONNREFUSED)",
                      "ECONNREFUSED", error);
}

}  // namespace socketeer
