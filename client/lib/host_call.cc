// Host::Call: a method that is known by its descriptor alone.
#include <algorithm>
#include <future>
#include <string>

#include "absl/status/status.h"
#include "client/lib/connection.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/duration.pb.h"
#include "google/protobuf/message.h"
#include "grpcpp/generic/generic_stub.h"
#include "socketeer/host.h"

namespace socketeer {
namespace {

using google::protobuf::Message;
using Stub = grpc::TemplatedGenericStub<Message, Message>;

// How long a call may take that says itself how long it waits; else `otherwise`.
absl::Duration TimeOf(const Message& request, absl::Duration grace, absl::Duration otherwise) {
  const auto* const field = request.GetDescriptor()->FindFieldByName("timeout");
  if (field == nullptr) return otherwise;
  if (!request.GetReflection()->HasField(request, field)) return absl::InfiniteDuration();
  google::protobuf::Duration timeout;
  timeout.CopyFrom(request.GetReflection()->GetMessage(request, field));
  return absl::Seconds(timeout.seconds()) + absl::Nanoseconds(timeout.nanos()) + grace;
}

absl::Status CheckCall(const google::protobuf::MethodDescriptor& method, const Message& request,
                       const Message& response) {
  if (method.client_streaming() || method.server_streaming()) {
    return absl::InvalidArgumentError(method.full_name() + " streams: it is no unary call");
  }
  if (request.GetDescriptor() != method.input_type() || response.GetDescriptor() != method.output_type()) {
    return absl::InvalidArgumentError(method.full_name() + " takes a " + method.input_type()->name() +
                                      " and answers with a " + method.output_type()->name());
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status Host::Call(const google::protobuf::MethodDescriptor& method, const Message& request, Message* response,
                        const CallOptions& options) const {
  if (absl::Status status = CheckCall(method, request, *response); !status.ok()) return status;
  if (connection_->stubs().channel == nullptr) {
    return absl::InvalidArgumentError("this host was made of stubs without their channel");
  }
  grpc::ClientContext context;
  connection_->Enter(context, method.service()->name() != "SessionService");
  const absl::Duration within =
      std::min(TimeOf(request, connection_->options().grace, connection_->options().answer_time),
               options.deadline - absl::Now());
  if (within != absl::InfiniteDuration()) context.set_deadline(internal::Connection::DeadlineAfter(within));
  const CancellationScope scope(options.cancellation, &context);
  std::unique_ptr<Message> answer(response->New());
  std::promise<grpc::Status> done;
  Stub stub(connection_->stubs().channel);
  stub.UnaryCall(&context, "/" + method.service()->full_name() + "/" + method.name(), {}, &request, answer.get(),
                 [&done](grpc::Status status) { done.set_value(std::move(status)); });
  const grpc::Status status = done.get_future().get();
  if (!status.ok()) return connection_->ToStatusWithCause(status, options.cancellation, options.deadline);
  response->GetReflection()->Swap(response, answer.get());
  return absl::OkStatus();
}

}  // namespace socketeer
