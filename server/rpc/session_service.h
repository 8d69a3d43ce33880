// socketeer.v1.SessionService.
#pragma once

#include "server/rpc/call.h"
#include "server/rpc/leases.h"
#include "socketeer/v1/session_service.grpc.pb.h"

namespace socketeer::rpc {

class SessionService final : public v1::SessionService::CallbackService {
 public:
  using grpc::Service::GetHandler;  // for its RequestGate

  // `core` and `leases` must outlive the service.
  SessionService(Core& core, Leases& leases) : core_(core), leases_(leases) {}

  using Context = grpc::CallbackServerContext;
  using Reactor = grpc::ServerUnaryReactor;

  Reactor* CreateSession(Context*, const v1::CreateSessionRequest*, v1::Session*) override;
  grpc::ServerWriteReactor<v1::HoldSessionResponse>* HoldSession(Context*, const v1::HoldSessionRequest*) override;
  Reactor* EndSession(Context*, const v1::EndSessionRequest*, v1::EndSessionResponse*) override;
  Reactor* GetSession(Context*, const v1::GetSessionRequest*, v1::Session*) override;
  Reactor* ListSessions(Context*, const v1::ListSessionsRequest*, v1::ListSessionsResponse*) override;

 private:
  Core& core_;
  Leases& leases_;
};

}  // namespace socketeer::rpc
