// Stands between gRPC and a service: no request becomes a message unseen, or without room for it.
#pragma once

#include <grpcpp/impl/service_type.h>
#include <grpcpp/server_builder.h>

#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "server/base/error.h"
#include "server/rpc/request_budget.h"

namespace socketeer::rpc {

// What the gate found. Who is refused is told so by his call, behind everything else that may be wrong with it: its
// request is empty then.
struct Arrival {
  std::optional<base::Error> refused;
  RequestBudget::Hold held;

  // Of the call whose handler runs on this thread, once; empty for a call that begins without a request.
  static Arrival Take();
};

// The service to register in the place of the generated one, whose handlers it uses: that one must outlive it, and
// `budget` too.
class RequestGate final : public grpc::Service {
 public:
  template <typename Service>
  RequestGate(const std::string& name, Service& service, RequestBudget& budget)
      : RequestGate(name, HandlerAt([&service](int i) { return service.GetHandler(i); }), budget) {}

 private:
  using HandlerAt = std::function<grpc::internal::MethodHandler*(int index)>;
  RequestGate(const std::string& name, const HandlerAt& handler_at, RequestBudget& budget);

  std::list<std::string> names_;  // gRPC keeps pointers to them
};

// Those of one daemon.
class RequestGates {
 public:
  // `Contract`: the generated class that `service`, which must outlive the gates, implements.
  template <typename Contract, typename Service>
  void Register(grpc::ServerBuilder& builder, Service& service) {
    gates_.push_back(std::make_unique<RequestGate>(Contract::service_full_name(), service, budget_));
    builder.RegisterService(gates_.back().get());
  }

 private:
  RequestBudget budget_;
  std::vector<std::unique_ptr<RequestGate>> gates_;
};

}  // namespace socketeer::rpc
