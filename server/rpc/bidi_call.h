// One bidirectional call, from its arrival to its end: frames come in, frames go out, and it ends exactly once.
//
// Made by a handler; lives until gRPC is done with it, and whoever still looks at it. A read is always pending, but
// while kMaxArrivedBytes wait to be taken. One frame at a time is being written; the others wait in a queue, which
// whoever fills it must bound. All functions may be called on any thread, if not said otherwise.
#pragma once

#include <grpcpp/support/server_callback.h>

#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "server/base/limits.h"
#include "server/rpc/call_scope.h"
#include "server/rpc/status.h"

namespace socketeer::rpc {

template <typename Request, typename Response>
class BidiCall : public grpc::ServerBidiReactor<Request, Response>,
                 public std::enable_shared_from_this<BidiCall<Request, Response>> {
 protected:
  // `verb`: SocketError.operation of errors that do not say their own.
  BidiCall(Core& core, const grpc::CallbackServerContext& context, const char* verb)
      : scope_(core, context), verb_(verb) {}

  // Keeps itself from now on until gRPC is done with it, and reads. Its cancellation, and the daemon's stop, end it.
  base::Status Begin() {
    self_ = this->shared_from_this();
    if (auto status = scope_.Admit(Request()); !status.ok()) return status;
    scope_.cancellation()->Set([weak = this->weak_from_this()](const base::Error& why) {
      if (const auto self = weak.lock()) self->End(why);
    });
    scope_.CancelOnDrain();
    this->StartRead(&incoming_);
    return base::Ok();
  }

  CallScope& scope() { return scope_; }
  Core& core() { return scope_.core(); }

  // What the caller has sent. `error`, or `over`, comes behind all frames: one that Check() refused, or the end of the
  // caller's side, or of the call.
  struct Arrived {
    std::vector<Request> frames;
    std::optional<base::Error> error;
    bool over = false;
  };
  Arrived TakeArrived() {
    std::lock_guard lock(mutex_);
    arrived_bytes_ = 0;
    // Under the mutex: the call cannot end before the read has begun.
    if (std::exchange(paused_, false) && !end_) this->StartRead(&incoming_);
    return std::exchange(arrived_, {});
  }

  // Behind all that were sent before. No effect once the call has ended.
  void Send(Response frame) {
    const Response* first = nullptr;
    {
      std::lock_guard lock(mutex_);
      if (end_ || MergeIntoQueue(frame)) return;
      queue_.push_back(std::move(frame));
      if (!writing_) first = BeginWrite();
    }
    if (first != nullptr) this->StartWrite(first);
  }

  // Behind what is being written; what waits is dropped. The first one counts.
  void End(base::Error error) {
    if (error.operation.empty()) error.operation = verb_;
    {
      std::lock_guard lock(mutex_);
      if (end_) return;
      end_ = ToGrpcStatus(error);
      if (writing_) return;
    }
    this->Finish(*end_);
  }
  // With OK, behind all frames.
  void EndWhenSent() {
    {
      std::lock_guard lock(mutex_);
      if (end_) return;
      last_ = true;
      if (writing_) return;
      end_ = grpc::Status::OK;
    }
    this->Finish(*end_);
  }

  // A frame has arrived. An error is the last that arrives. One thread at a time.
  virtual base::Status Check(const Request& frame) = 0;
  // There is something to take; not told again before it is taken.
  virtual void OnArrived() = 0;
  // Adds `next` to `queued`, which is about to be sent; false: it has to be a frame of its own. Under the mutex.
  virtual bool Merge(Response&, const Response&) { return false; }
  // Is given to gRPC now. Under the mutex.
  virtual void OnSending(const Response&) {}
  // gRPC is done with the call.
  virtual void OnEnded() {}

 private:
  void OnCancel() override { scope_.cancellation()->Cancel(base::Cancelled()); }

  void OnReadDone(bool ok) override {
    base::Status checked = ok ? Check(incoming_) : base::Ok();
    const bool more = ok && checked.ok();
    bool read = false, first = false;
    {
      std::lock_guard lock(mutex_);
      if (end_) return;
      first = arrived_.frames.empty();
      if (more) {
        // Small ones count for what it takes to hold them.
        arrived_bytes_ += incoming_.ByteSizeLong() + sizeof(Request);
        arrived_.frames.push_back(std::move(incoming_));
        paused_ = arrived_bytes_ >= base::kMaxArrivedBytes;
        read = !paused_;
      } else if (ok) {
        arrived_.error = std::move(checked).error();
      } else {
        arrived_.over = true;
      }
    }
    if (read) this->StartRead(&incoming_);
    if (first) OnArrived();
  }

  void OnWriteDone(bool ok) override {
    const Response* next = nullptr;
    {
      std::lock_guard lock(mutex_);
      writing_ = false;
      queue_.pop_front();
      if (!ok && !end_) end_ = grpc::Status(grpc::StatusCode::CANCELLED, "");
      if (!end_ && queue_.empty() && last_) end_ = grpc::Status::OK;
      if (!end_) {
        if (queue_.empty()) return;
        next = BeginWrite();
      }
    }
    if (next != nullptr) return this->StartWrite(next);
    this->Finish(*end_);
  }

  void OnDone() override {
    OnEnded();
    self_.reset();
  }

  // Below, mutex_ is held.
  const Response* BeginWrite() {
    writing_ = true;
    OnSending(queue_.front());
    return &queue_.front();  // stays where it is until it is written
  }
  // Into one of the last two: frames of two sorts may take turns.
  bool MergeIntoQueue(const Response& frame) {
    const size_t first = writing_ ? 1 : 0;
    for (size_t i = queue_.size(), looked = 0; i > first && looked < 2; --i, ++looked) {
      if (Merge(queue_[i - 1], frame)) return true;
    }
    return false;
  }

  CallScope scope_;
  const char* const verb_;
  std::shared_ptr<BidiCall> self_;
  Request incoming_;  // gRPC's while a read is pending
  std::mutex mutex_;  // guards all below
  Arrived arrived_;
  size_t arrived_bytes_ = 0;
  bool paused_ = false;  // no read is pending, because too much has arrived
  std::deque<Response> queue_;
  bool writing_ = false;  // the first of queue_
  bool last_ = false;     // ends when queue_ is empty
  std::optional<grpc::Status> end_;
};

}  // namespace socketeer::rpc
