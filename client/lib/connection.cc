#include "client/lib/connection.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "absl/strings/cord.h"
#include "socketeer/error.h"
#include "socketeer/text.h"

namespace socketeer {

bool Cancellation::Cancel() {
  const std::lock_guard<std::mutex> lock(mutex_);
  cancelled_ = true;
  for (const auto& [scope, end] : under_way_) end();
  cancel_.notify_all();
  return !under_way_.empty();
}

bool Cancellation::AwaitCancel(absl::Duration within) {
  std::unique_lock<std::mutex> lock(mutex_);
  return cancel_.wait_for(lock, absl::ToChronoNanoseconds(std::min(within, absl::Hours(24))),
                          [this] { return cancelled_; });
}

CancellationScope::CancellationScope(Cancellation* cancellation, grpc::ClientContext* context)
    : CancellationScope(cancellation, [context] { context->TryCancel(); }) {}

CancellationScope::CancellationScope(Cancellation* cancellation, std::function<void()> end)
    : cancellation_(cancellation) {
  if (cancellation_ == nullptr) return;
  const std::lock_guard<std::mutex> lock(cancellation_->mutex_);
  if (cancellation_->cancelled_) end();
  cancellation_->under_way_.emplace(this, std::move(end));
}

CancellationScope::~CancellationScope() {
  if (cancellation_ == nullptr) return;
  const std::lock_guard<std::mutex> lock(cancellation_->mutex_);
  cancellation_->under_way_.erase(this);
}

namespace internal {
namespace {

// What gRPC 1.51 says of a peer that took the connection, and then said nothing.
constexpr std::string_view kSilent = "timed out before receiving SETTINGS";

// gRPC tells the way it went, "failed to connect to all addresses; last error: UNKNOWN: ipv4:...:
// Failed to connect to remote host: Connection refused"; the cause stands last.
std::string Cause(const std::string& message) {
  const size_t colon = message.rfind(": ");
  const std::string cause = colon == std::string::npos ? message : message.substr(colon + 2);
  const bool readable = !cause.empty() && cause.find_first_of("{}[]\"") == std::string::npos;
  return readable ? ": " + Printable(cause) : "";
}

void SetDetails(const google::rpc::Status& from, absl::Status* to) {
  for (const google::protobuf::Any& detail : from.details()) {
    to->SetPayload(detail.type_url(), absl::Cord(detail.value()));
  }
}

}  // namespace

std::chrono::system_clock::time_point Connection::DeadlineAfter(absl::Duration within) {
  return std::chrono::system_clock::now() +
         std::chrono::ceil<std::chrono::system_clock::duration>(absl::ToChronoNanoseconds(within));
}

absl::Status Connection::ToStatus(const google::rpc::Status& from) {
  absl::Status status(static_cast<absl::StatusCode>(from.code()), from.message());
  SetDetails(from, &status);
  return status;
}

absl::Status Connection::ToStatusWithCause(const grpc::Status& from, Cancellation* cancellation,
                                           absl::Time deadline) const {
  absl::Status status = ToStatus(from);
  // A daemon that does not answer in time, or a host that has no address or cannot be connected to, says nothing more.
  const bool perhaps_tls = Classify(status) == ErrorKind::kUnreachable &&
                           from.error_code() == grpc::StatusCode::UNAVAILABLE &&
                           from.error_message().find("Connection refused") == std::string::npos &&
                           from.error_message().find("DNS resolution failed") == std::string::npos;
  const absl::Duration left = deadline - absl::Now();
  if (!perhaps_tls || probe_ == nullptr || left <= absl::ZeroDuration()) return status;
  const std::string why = probe_(left, cancellation);
  if (cancellation != nullptr && cancellation->AwaitCancel(absl::ZeroDuration())) {
    return absl::CancelledError("cancelled");
  }
  if (why.empty()) return status;
  return absl::UnauthenticatedError("no TLS with the daemon at " + endpoint_ + ": " + Printable(why));
}

absl::Status Connection::ToStatus(const grpc::Status& from) const {
  absl::Status status(static_cast<absl::StatusCode>(from.error_code()), from.error_message());
  google::rpc::Status rich;
  if (rich.ParseFromString(from.error_details())) SetDetails(rich, &status);
  switch (Classify(status)) {
    case ErrorKind::kUnreachable:
      if (status.code() == absl::StatusCode::kDeadlineExceeded ||
          from.error_message().find(kSilent) != std::string::npos) {
        return absl::UnavailableError("the daemon at " + endpoint_ + " does not answer");
      }
      return absl::UnavailableError("cannot reach the daemon at " + endpoint_ + Cause(from.error_message()));
    case ErrorKind::kTls:
    case ErrorKind::kProtocol:
    case ErrorKind::kArgument:  // a daemon's INVALID_ARGUMENT has details
      return absl::InternalError("what answers at " + endpoint_ + " does not speak this API" +
                                 (from.error_message().empty() ? "" : ": ") + Printable(from.error_message()));
    case ErrorKind::kCancelled:
      return absl::CancelledError("cancelled");
    default:
      return status;
  }
}

}  // namespace internal
}  // namespace socketeer
