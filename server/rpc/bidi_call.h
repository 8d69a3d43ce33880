// One bidirectional call, from its arrival to its end: frames come in, frames go out, and it ends exactly once. What a
// frame looks like on the wire is its heir's business: gRPC hands over bytes.
//
// Made by a handler; lives until gRPC is done with it, and whoever still looks at it. A read is always pending, but
// while kMaxArrivedBytes wait to be taken. One frame at a time is being written; the others wait in a queue, which
// whoever fills it must bound. All functions may be called on any thread, if not said otherwise.
#pragma once

#include <google/protobuf/message.h>
#include <grpcpp/support/byte_buffer.h>
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

template <typename In, typename Out>
class BidiCall : public grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>,
                 public std::enable_shared_from_this<BidiCall<In, Out>> {
 protected:
  BidiCall(Core& core, const grpc::CallbackServerContext& context, Method method) : scope_(core, context, method) {}

  // Keeps itself from now on until gRPC is done with it, and reads. Its cancellation, and the daemon's stop, end it.
  base::Status Begin(const google::protobuf::Message& empty) {
    self_ = this->shared_from_this();
    if (auto status = scope_.Admit(empty); !status.ok()) return status;
    scope_.cancellation()->Set([weak = this->weak_from_this()](const base::Error& why) {
      if (const auto self = weak.lock()) self->End(why);
    });
    scope_.CancelOnDrain();
    this->StartRead(&incoming_);
    return base::Ok();
  }

  CallScope& scope() { return scope_; }
  // A frame is about to tell of that.
  const base::Error& Told(const base::Error& error) const {
    scope_.core().counters.Told(error);
    scope_.Tell(&error, {.bounded = true});
    return error;
  }
  Core& core() { return scope_.core(); }

  // What the caller has sent. `error`, or `over`, comes behind all frames: one that Decode() refused, or the end of the
  // caller's side, or of the call.
  struct Arrived {
    std::vector<In> frames;
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
  void Send(Out frame) {
    {
      std::lock_guard lock(mutex_);
      if (end_ || sealed_ || scope_.IsCut() || MergeIntoQueue(frame)) return;
      queue_.push_back(std::move(frame));
      if (writing_) return;
      TakeNext();
    }
    this->StartWrite(&outgoing_);
  }

  // Behind what is being written; what waits is dropped, both ways. The first one counts.
  void End(base::Error error) {
    if (error.operation.empty()) error.operation = scope_.verb();
    std::deque<Out> dropped;
    Arrived unheard;
    {
      std::lock_guard lock(mutex_);
      if (end_) return;
      scope_.NoteFailure(error);
      scope_.Tell(&error);
      end_ = ToGrpcStatus(error);
      dropped.swap(queue_);
      unheard = std::exchange(arrived_, {});
      if (writing_) return;
    }
    FinishNow();
  }
  // It is about to end: nothing more is given to gRPC, and what waits is dropped.
  void StopSending() {
    std::deque<Out> dropped;
    std::lock_guard lock(mutex_);
    sealed_ = true;
    dropped.swap(queue_);
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
    FinishNow();
  }

  // A frame has arrived. An error is the last that arrives. One thread at a time.
  virtual base::Result<In> Decode(grpc::ByteBuffer* bytes) = 0;
  // There is something to take; not told again before it is taken.
  virtual void OnArrived() = 0;
  // Adds `next` to `queued`, which is about to be sent; or may it pass that, or must it stay behind? Under the mutex.
  enum class Merging { kDone, kMayPass, kStaysBehind };
  virtual Merging Merge(Out&, Out&) { return Merging::kStaysBehind; }
  // The frame is given to gRPC now. Under the mutex.
  virtual grpc::ByteBuffer Encode(const Out& frame) = 0;
  // gRPC is done with the call.
  virtual void OnEnded() {}

 private:
  void OnCancel() override { scope_.cancellation()->Cancel(base::Cancelled()); }

  void OnReadDone(bool ok) override {
    base::Result<In> frame = ok ? Decode(&incoming_) : In();
    // Small ones count for what it takes to hold them.
    const size_t size = incoming_.Valid() ? incoming_.Length() + sizeof(In) : 0;
    incoming_.Clear();
    bool read = false, first = false;
    {
      std::lock_guard lock(mutex_);
      if (end_) return;
      first = arrived_.frames.empty();
      if (!ok) {
        arrived_.over = true;
      } else if (!frame.ok()) {
        arrived_.error = std::move(frame).error();
      } else {
        arrived_bytes_ += size;
        arrived_.frames.push_back(*std::move(frame));
        paused_ = arrived_bytes_ >= base::kMaxArrivedBytes;
        read = !paused_;
      }
    }
    if (read) this->StartRead(&incoming_);
    if (first) OnArrived();
  }

  void OnWriteDone(bool ok) override {
    outgoing_.Clear();
    bool more = false;
    {
      std::lock_guard lock(mutex_);
      writing_ = false;
      // Of a call that its caller has cut, gRPC takes every message and says that it was sent: as little of the queue
      // as can be counts as given before OnCancel() comes.
      if ((!ok || scope_.IsCut()) && !end_) end_ = grpc::Status(grpc::StatusCode::CANCELLED, "");
      if (!end_ && queue_.empty()) {
        if (!last_) return;
        end_ = grpc::Status::OK;
      }
      more = !end_;
      if (more) TakeNext();
    }
    if (more) return this->StartWrite(&outgoing_);
    FinishNow();
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

  // Below, mutex_ is held.
  void TakeNext() {
    writing_ = true;
    outgoing_ = Encode(queue_.front());
    queue_.pop_front();
  }
  // Into one of the last two: frames of two sorts may take turns.
  bool MergeIntoQueue(Out& frame) {
    for (size_t i = queue_.size(), looked = 0; i > 0 && looked < 2; --i, ++looked) {
      const Merging merging = Merge(queue_[i - 1], frame);
      if (merging != Merging::kMayPass) return merging == Merging::kDone;
    }
    return false;
  }

  CallScope scope_;
  std::shared_ptr<BidiCall> self_;
  grpc::ByteBuffer incoming_;  // gRPC's while a read is pending
  grpc::ByteBuffer outgoing_;  // gRPC's while writing_
  std::mutex mutex_;           // guards all below
  Arrived arrived_;
  size_t arrived_bytes_ = 0;
  bool paused_ = false;  // no read is pending, because too much has arrived
  std::deque<Out> queue_;
  bool writing_ = false;
  bool last_ = false;    // ends when queue_ is empty
  bool sealed_ = false;  // nothing more is sent
  std::optional<grpc::Status> end_;
};

}  // namespace socketeer::rpc
