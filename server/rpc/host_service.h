// socketeer.v1.HostService.
#pragma once

#include "server/rpc/call.h"
#include "socketeer/v1/host_service.grpc.pb.h"

namespace socketeer::rpc {

class HostService final : public v1::HostService::CallbackService {
 public:
  using grpc::Service::GetHandler;  // for its RequestGate

  explicit HostService(Core& core) : core_(core) {}

  grpc::ServerUnaryReactor* GetHost(grpc::CallbackServerContext* context, const v1::GetHostRequest* request,
                                    v1::Host* response) override;
  grpc::ServerUnaryReactor* GetCaller(grpc::CallbackServerContext* context, const v1::GetCallerRequest* request,
                                      v1::Caller* response) override;
  grpc::ServerUnaryReactor* GetQuota(grpc::CallbackServerContext* context, const v1::GetQuotaRequest* request,
                                     v1::Quota* response) override;

 private:
  Core& core_;
};

}  // namespace socketeer::rpc
