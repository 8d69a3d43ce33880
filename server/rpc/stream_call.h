// One server-streaming call, from its arrival to its end.
//
// Made by a handler, lives until gRPC is done with it, and whoever still looks at it. Ends exactly once, by End(), from
// any thread; one message is under way at a time.
#pragma once

#include <grpcpp/support/server_callback.h>

#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "server/rpc/call_scope.h"
#include "server/rpc/status.h"

namespace socketeer::rpc {

template <typename Response>
class StreamCall : public grpc::ServerWriteReactor<Response>,
                   public std::enable_shared_from_this<StreamCall<Response>> {
 protected:
  StreamCall(Core& core, const grpc::CallbackServerContext& context, Method method) : scope_(core, context, method) {}

  // Keeps itself from now on until gRPC is done with it. Its cancellation, and the daemon's stop, end it.
  base::Status Begin(const google::protobuf::Message& request) {
    self_ = this->shared_from_this();
    if (auto status = scope_.Admit(request); !status.ok()) return status;
    scope_.cancellation()->Set([weak = this->weak_from_this()](const base::Error& why) {
      if (const auto self = weak.lock()) self->OnCancelled(why);
    });
    scope_.CancelOnDrain();
    return base::Ok();
  }

  CallScope& scope() { return scope_; }
  Core& core() { return scope_.core(); }

  // Sends `response`, which must live until OnWritten(). Not while another is under way. No effect once it has ended.
  void Write(const Response& response) {
    {
      std::lock_guard lock(mutex_);
      if (end_) return;
      writing_ = true;
    }
    this->StartWrite(&response);
  }

  // The first one counts. Behind what is being written.
  void End(base::Error error) {
    if (error.operation.empty()) error.operation = scope_.verb();
    {
      std::lock_guard lock(mutex_);
      if (end_) return;
      scope_.NoteFailure(error);
      scope_.Tell(&error);
      end_ = ToGrpcStatus(error);
      if (writing_) return;
    }
    FinishNow();
  }

  // It is to end early.
  virtual void OnCancelled(const base::Error& why) { End(why); }
  // The message is on its way.
  virtual void OnWritten() {}
  // gRPC is done with the call.
  virtual void OnEnded() {}

 private:
  void OnCancel() override { scope_.cancellation()->Cancel(base::Cancelled()); }
  void OnWriteDone(bool ok) override {
    bool over = false;
    {
      std::lock_guard lock(mutex_);
      writing_ = false;
      if (!ok && !end_) end_ = grpc::Status(grpc::StatusCode::CANCELLED, "");
      over = end_.has_value();
    }
    if (over) return FinishNow();
    OnWritten();
  }
  void OnDone() override {
    scope_.OnDone();
    OnEnded();
    self_.reset();
  }
  void FinishNow() {
    scope_.CountEnd(end_->error_code());
    scope_.LogEnd(end_->error_code());
    scope_.LeavePlace();
    this->Finish(*end_);
  }

  CallScope scope_;
  std::shared_ptr<StreamCall> self_;
  std::mutex mutex_;
  bool writing_ = false;             // guarded by mutex_
  std::optional<grpc::Status> end_;  // set once, under mutex_
};

}  // namespace socketeer::rpc
