#include "server/rpc/request_gate.h"

#include <google/protobuf/descriptor.h>
#include <grpc/slice_buffer.h>

#include <memory>
#include <utility>

#include "server/rpc/request_scan.h"

namespace socketeer::rpc {
namespace {

using google::protobuf::MethodDescriptor;
using grpc::internal::MethodHandler;
using grpc::internal::RpcMethod;

thread_local Arrival* arriving = nullptr;  // between gRPC's call of a handler and its reactor's making

RpcMethod::RpcType TypeOf(const MethodDescriptor& method) {
  if (!method.client_streaming())
    return method.server_streaming() ? RpcMethod::SERVER_STREAMING : RpcMethod::NORMAL_RPC;
  return method.server_streaming() ? RpcMethod::BIDI_STREAMING : RpcMethod::CLIENT_STREAMING;
}

// As gRPC frees them; the slices by themselves it would let go only on its own threads.
void Empty(grpc_byte_buffer* bytes) {
  grpc_byte_buffer* const gone = grpc_raw_byte_buffer_create(nullptr, 0);
  grpc_slice_buffer_swap(&gone->data.raw.slice_buffer, &bytes->data.raw.slice_buffer);
  grpc_byte_buffer_destroy(gone);
}

class Gate final : public MethodHandler {
 public:
  Gate(MethodHandler& behind, const google::protobuf::Descriptor& request, RequestBudget& budget)
      : behind_(behind), request_(request), budget_(budget) {}

  // gRPC runs both, one after the other; the second alone where there is no request yet.
  void* Deserialize(grpc_call* call, grpc_byte_buffer* bytes, grpc::Status* status, void** data) override {
    auto seen = std::make_unique<Seen>();
    if (bytes != nullptr) seen->arrival = Look(*bytes);
    if (seen->arrival.refused) Empty(bytes);
    void* const message = behind_.Deserialize(call, bytes, status, &seen->data);
    *data = seen.release();
    return message;
  }
  void RunHandler(const HandlerParameter& given) override {
    const std::unique_ptr<Seen> seen(static_cast<Seen*>(given.internal_data));
    if (!seen) return behind_.RunHandler(given);
    Arrival* const around = std::exchange(arriving, &seen->arrival);  // gRPC may begin a call within another's handler
    behind_.RunHandler(HandlerParameter(given.call, given.server_context, given.request, given.status, seen->data,
                                        given.call_requester));
    arriving = around;
  }

 private:
  struct Seen {
    Arrival arrival;
    void* data = nullptr;  // of the handler behind
  };

  Arrival Look(const grpc_byte_buffer& bytes) {
    auto weight = WeightOf(bytes, request_);
    if (!weight.ok()) return {.refused = std::move(weight).error(), .held = {}};
    auto hold = budget_.Take(*weight);
    if (!hold) return {.refused = base::LimitReached("max_request_bytes", base::kMaxRequestBytes), .held = {}};
    return {.refused = std::nullopt, .held = *std::move(hold)};
  }

  MethodHandler& behind_;
  const google::protobuf::Descriptor& request_;
  RequestBudget& budget_;
};

}  // namespace

Arrival Arrival::Take() {
  Arrival* const mine = std::exchange(arriving, nullptr);
  return mine == nullptr ? Arrival() : std::move(*mine);
}

RequestGate::RequestGate(const std::string& name, const HandlerAt& handler_at, RequestBudget& budget) {
  const auto& service = *google::protobuf::DescriptorPool::generated_pool()->FindServiceByName(name);
  for (int i = 0; i < service.method_count(); ++i) {
    const MethodDescriptor& method = *service.method(i);
    names_.push_back("/" + service.full_name() + "/" + method.name());
    AddMethod(new grpc::internal::RpcServiceMethod(names_.back().c_str(), TypeOf(method), nullptr));
    auto* const gate = new Gate(*handler_at(i), *method.input_type(), budget);
    if (method.client_streaming()) {
      MarkMethodRawCallback(i, gate);  // the one there is, AttachSocket, looks at its frames by itself
    } else {
      MarkMethodCallback(i, gate);
    }
  }
}

}  // namespace socketeer::rpc
