// Calls with a request_id: done once, answered as often as they are repeated.
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <atomic>
#include <functional>
#include <memory>

#include "server/rpc/call.h"

namespace socketeer::rpc {
namespace {

// Of the method, which has its request type for itself, and of all fields; maps in one order.
uint64_t FingerprintOf(const google::protobuf::Message& request) {
  std::string bytes = request.GetTypeName();
  {
    google::protobuf::io::StringOutputStream stream(&bytes);
    google::protobuf::io::CodedOutputStream coded(&stream);
    coded.SetSerializationDeterministic(true);
    request.SerializeToCodedStream(&coded);
  }
  return std::hash<std::string>()(bytes);
}

}  // namespace

base::Status Call::Once(const std::string& request_id, const google::protobuf::Message& request,
                        google::protobuf::Message* response, std::function<void()> run) {
  if (request_id.size() > base::kMaxRequestIdBytes) {
    return base::InvalidField("request_id", std::to_string(request_id.size()) + " bytes",
                              "at most " + std::to_string(base::kMaxRequestIdBytes) + " bytes");
  }
  once_ = {
      .request_id = request_id, .fingerprint = FingerprintOf(request), .response = response, .run = std::move(run)};
  ClaimOnce();
  return base::Ok();
}

void Call::ClaimOnce() {
  using Claim = registry::Answers::Claim;
  const registry::SessionPtr in = session();
  const std::string request_id = once_->request_id;
  const uint64_t fingerprint = once_->fingerprint;
  // Whoever sets it has the call to himself: the first one's end, this one's canceller, or we. Without it the call may
  // be gone.
  const auto taken = std::make_shared<std::atomic<bool>>(false);
  const auto leave = [in, request_id, id = scope_.id()] { in->answers().Leave(request_id, id); };
  SetEnder([this, taken, leave](base::Error why) {
    if (taken->exchange(true)) return;
    leave();
    Fail(std::move(why));
  });
  registry::Answer answer;
  const Claim claim = in->answers().TryClaim(request_id, fingerprint, &answer, scope_.id(),
                                             [this, taken](const registry::Answer* first) {
                                               if (taken->exchange(true)) return;
                                               if (first == nullptr) return ClaimOnce();
                                               AnswerAs(*first);
                                             });
  if (claim == Claim::kJoined) {
    if (taken->load()) leave();  // it was told to end before it had joined
    return;
  }
  if (taken->exchange(true)) {
    if (claim == Claim::kRun) in->answers().Forget(request_id);
    return;
  }
  if (claim == Claim::kReused) return Fail(base::RequestIdReused(request_id));
  if (claim == Claim::kAnswered) return AnswerAs(answer);
  once_->mine = true;
  const auto run = std::move(once_->run);  // it may end the call
  run();
}

OnceClaim Call::TakeClaim() {
  if (!once_ || !std::exchange(once_->mine, false)) return {};
  return {session(), once_->request_id};
}

void OnceClaim::Succeed(const google::protobuf::Message& response) const {
  if (!session_) return;
  session_->answers().Settle(
      request_id_,
      {.code = grpc::StatusCode::OK, .message = "", .details = "", .response = response.SerializeAsString()});
}

void OnceClaim::Forget() const {
  if (session_) session_->answers().Forget(request_id_);
}

void Call::AnswerAs(const registry::Answer& first) {
  if (first.code == grpc::StatusCode::OK) once_->response->ParseFromString(first.response);
  scope_.NoteOutcome(kRepeatedOutcome);
  End(grpc::Status(static_cast<grpc::StatusCode>(first.code), first.message, first.details));
}

}  // namespace socketeer::rpc
