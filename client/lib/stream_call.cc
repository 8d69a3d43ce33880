#include "client/lib/stream_call.h"

#include "client/lib/stream_core.h"

namespace socketeer::internal {

void StreamCall::Begin(AttachStub& stub, grpc::ByteBuffer open) {
  stub.AttachSocket(&context_, this);
  Write(std::move(open));
  StartRead(&in_);
  StartCall();
}

void StreamCall::Write(grpc::ByteBuffer frame) {
  out_.Swap(&frame);
  StartWrite(&out_);
}

void StreamCall::OnReadDone(bool ok) {
  if (!ok) return core_->OnReadsOver();
  core_->OnFrame(&in_);
  in_.Clear();
  StartRead(&in_);
  // Meanwhile the next frame may come: the core keeps the order.
  core_->Deliver();
}

void StreamCall::OnWriteDone(bool ok) {
  out_.Clear();  // what it shares is free now
  const bool first = std::exchange(first_, false);
  if (ok) return core_->OnWritten();
  if (first) core_->OnOpenFailed();  // else the call is ending
}

// The context keeps the channel, and gRPC 1.51 aborts if a thread of its own drops the last one who does; so it goes
// before the core knows that the call is over, while its connection still stands, but when nobody cancels it any more.
void StreamCall::OnDone(const grpc::Status& status) {
  const std::shared_ptr<StreamCore> core = std::move(core_);
  const grpc::Status kept = status;
  core->ForgetCall();
  delete this;
  core->OnCallDone(kept);
}

}  // namespace socketeer::internal
