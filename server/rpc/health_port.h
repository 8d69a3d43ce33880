// A second port for those who only ask whether the daemon lives, such as a load balancer's probe: grpc.health.v1 in
// plain text, and nothing else.
//
// It is a gRPC server of its own, in which no other service was ever registered: no call can come from here to a
// socket. Connections are accepted as the daemon's others are, by ourselves (connections.h); kMaxHealthConnections of
// them, the oldest giving way to a new one, so that silent ones cannot keep a probe out.
#pragma once

#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/server.h>

#include <cstdint>
#include <list>
#include <memory>
#include <string>

#include "server/base/fd.h"
#include "server/base/result.h"
#include "server/net/event_loop.h"
#include "server/rpc/listener.h"

namespace socketeer::rpc {

inline constexpr size_t kMaxHealthConnections = 32;

class HealthPort : public net::EventHandler {
 public:
  // Before the loop runs. Accepts from now on. The loop must outlive this, and be stopped before it goes. Precondition:
  // gRPC's default health service is enabled.
  static base::Result<std::unique_ptr<HealthPort>> Start(Listener listener, net::EventLoop& loop);
  ~HealthPort() override;

  // Its real address, "127.0.0.1:40123".
  const std::string& address() const { return address_; }

  // Says NOT_SERVING from now on. Any thread.
  void SayDraining();
  // No more connections are accepted. On the loop's thread.
  void StopListening();
  // Cancels what is left, such as a watch. Any thread but the loop's.
  void Shutdown();

  void OnEvents(uint32_t events) override;

 private:
  class Guest;

  HealthPort(Listener listener, net::EventLoop& loop);
  void AcceptAll();
  void Admit(base::Fd accepted);

  net::EventLoop& loop_;
  Listener listener_;
  const std::string address_;
  net::WatchId watch_ = 0;
  net::TimerId retry_ = 0;
  grpc::CallbackGenericService others_;  // all other calls: UNIMPLEMENTED
  std::unique_ptr<grpc::Server> server_;
  std::list<std::unique_ptr<Guest>> guests_;  // the oldest in front; on the loop's thread
};

}  // namespace socketeer::rpc
