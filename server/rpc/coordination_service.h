// socketeer.v1.CoordinationService.
#pragma once

#include "server/rpc/call.h"
#include "socketeer/v1/coordination_service.grpc.pb.h"

namespace socketeer::rpc {

class CoordinationService final : public v1::CoordinationService::CallbackService {
 public:
  using grpc::Service::GetHandler;  // for its RequestGate

  // `core` must outlive the service.
  explicit CoordinationService(Core& core) : core_(core) {}

  using Context = grpc::CallbackServerContext;
  using Reactor = grpc::ServerUnaryReactor;

  Reactor* AwaitBarrier(Context*, const v1::AwaitBarrierRequest*, v1::AwaitBarrierResponse*) override;
  Reactor* PublishValue(Context*, const v1::PublishValueRequest*, v1::Value*) override;
  Reactor* WithdrawValue(Context*, const v1::WithdrawValueRequest*, v1::Value*) override;
  Reactor* GetValue(Context*, const v1::GetValueRequest*, v1::Value*) override;
  Reactor* AwaitValue(Context*, const v1::AwaitValueRequest*, v1::AwaitValueResponse*) override;
  Reactor* ListValues(Context*, const v1::ListValuesRequest*, v1::ListValuesResponse*) override;

 private:
  Core& core_;
};

}  // namespace socketeer::rpc
