#include "socketeer/error.h"

#include "absl/strings/cord.h"
#include "google/protobuf/message.h"

namespace socketeer {
namespace {

constexpr std::string_view kDomain = "socketeer";
constexpr std::string_view kTimedOutReason = "TIMED_OUT";

std::string TypeUrl(const google::protobuf::Message& message) {
  return "type.googleapis.com/" + message.GetDescriptor()->full_name();
}

template <typename Message>
std::optional<Message> Payload(const absl::Status& status) {
  Message message;
  const absl::optional<absl::Cord> bytes = status.GetPayload(TypeUrl(message));
  if (!bytes.has_value() || !message.ParseFromString(std::string(*bytes))) return std::nullopt;
  return message;
}

// An error without our details was made by gRPC or by this library.
ErrorKind ClassifyByCode(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kOk:
      return ErrorKind::kNone;
    case absl::StatusCode::kCancelled:
      return ErrorKind::kCancelled;
    case absl::StatusCode::kInvalidArgument:
      return ErrorKind::kArgument;
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDeadlineExceeded:  // the safety net: the daemon stopped answering
      return ErrorKind::kUnreachable;
    case absl::StatusCode::kUnauthenticated:
      return ErrorKind::kTls;
    default:
      return ErrorKind::kProtocol;
  }
}

ErrorKind ClassifyByOrigin(v1::Origin origin) {
  switch (origin) {
    case v1::ORIGIN_KERNEL:
      return ErrorKind::kKernel;
    case v1::ORIGIN_POLICY:
      return ErrorKind::kPolicy;
    default:
      return ErrorKind::kDaemon;
  }
}

}  // namespace

std::optional<google::rpc::ErrorInfo> ErrorInfoOf(const absl::Status& status) {
  std::optional<google::rpc::ErrorInfo> info = Payload<google::rpc::ErrorInfo>(status);
  if (!info.has_value() || info->domain() != kDomain) return std::nullopt;
  return info;
}

std::optional<v1::SocketError> SocketErrorOf(const absl::Status& status) { return Payload<v1::SocketError>(status); }

std::string ReasonOf(const absl::Status& status) {
  const std::optional<google::rpc::ErrorInfo> info = ErrorInfoOf(status);
  return info.has_value() ? info->reason() : "";
}

int ErrnoOf(const absl::Status& status) {
  const std::optional<v1::SocketError> error = SocketErrorOf(status);
  return error.has_value() ? error->errno_number() : 0;
}

ErrorKind Classify(const absl::Status& status) {
  const std::optional<google::rpc::ErrorInfo> info = ErrorInfoOf(status);
  if (!info.has_value()) return ClassifyByCode(status.code());
  if (info->reason() == kTimedOutReason) return ErrorKind::kTimedOut;
  if (info->reason() == "DRAINING") return ErrorKind::kDraining;
  if (info->reason() == "CANCELLED") return ErrorKind::kCancelled;
  const std::optional<v1::SocketError> error = SocketErrorOf(status);
  return ClassifyByOrigin(error.has_value() ? error->origin() : v1::ORIGIN_UNSPECIFIED);
}

absl::Status TimedOutError(std::string_view message) {
  google::rpc::ErrorInfo info;
  info.set_domain(std::string(kDomain));
  info.set_reason(std::string(kTimedOutReason));
  absl::Status status = absl::DeadlineExceededError(absl::string_view(message.data(), message.size()));
  status.SetPayload(TypeUrl(info), absl::Cord(info.SerializeAsString()));
  return status;
}

}  // namespace socketeer
