// How every stream of answers is read. Private to the library.
#pragma once

#include <chrono>
#include <memory>
#include <utility>

#include "absl/status/statusor.h"
#include "client/lib/connection.h"
#include "grpcpp/support/sync_stream.h"

namespace socketeer::internal {

// One answer after the other, for one thread; ended from others by the cancellation. A stream that broke is begun again
// by the next Next().
template <typename Stub, typename Request, typename Response>
class AnswerStream {
 public:
  using Method = std::unique_ptr<grpc::ClientReaderInterface<Response>> (Stub::*)(grpc::ClientContext*, const Request&);

  // `cancellation` is not owned and may be null.
  AnswerStream(std::shared_ptr<Connection> connection, std::shared_ptr<Stub> stub, Method method,
               Cancellation* cancellation)
      : connection_(std::move(connection)),
        stub_(std::move(stub)),
        method_(method),
        cancellation_(cancellation != nullptr ? cancellation : &never_) {}

  ~AnswerStream() {
    if (call_ == nullptr) return;
    call_->context.TryCancel();
    Response unread;
    while (call_->reader->Read(&unread)) continue;
    (void)call_->reader->Finish();
  }

  // Waits for an answer, or for the end of the stream, which is always an error. `request` is what to begin with, if
  // there is no stream; after a failure it pauses first, so that a caller may call again at once.
  absl::StatusOr<Response> Next(const Request& request) {
    if (call_ == nullptr) {
      if (failed_ && Pause()) return absl::CancelledError("cancelled");
      call_ = std::make_unique<Call>(*this, request);
    }
    Response response;
    failed_ = !call_->reader->Read(&response);
    if (!failed_) return response;
    const grpc::Status status = call_->reader->Finish();
    call_.reset();
    if (!status.ok()) return connection_->ToStatusWithCause(status, cancellation_);
    return absl::InternalError("the daemon at " + connection_->endpoint() + " ended a stream that has no end");
  }

 private:
  static constexpr auto kPause = std::chrono::milliseconds(100);

  struct Call {
    Call(AnswerStream& stream, const Request& request) : scope(stream.cancellation_, &context) {
      stream.connection_->template EnterSession<Stub>(context);
      reader = ((*stream.stub_).*stream.method_)(&context, request);
    }

    grpc::ClientContext context;
    CancellationScope scope;
    std::unique_ptr<grpc::ClientReaderInterface<Response>> reader;
  };

  // Returns whether the caller gave up. It takes its time also when there is a connection: a daemon that is stopping
  // refuses at once.
  bool Pause() {
    const auto end = std::chrono::steady_clock::now() + kPause;
    connection_->AwaitConnected(absl::FromChrono(kPause));
    return cancellation_->AwaitCancel(absl::FromChrono(end - std::chrono::steady_clock::now()));
  }

  const std::shared_ptr<Connection> connection_;
  const std::shared_ptr<Stub> stub_;
  const Method method_;
  Cancellation never_;
  Cancellation* const cancellation_;
  std::unique_ptr<Call> call_;  // null before the first Next and after a failure
  bool failed_ = false;
};

}  // namespace socketeer::internal
