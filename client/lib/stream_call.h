// One call of AttachSocket. Private to the library.
#pragma once

#include <memory>
#include <utility>

#include "grpcpp/client_context.h"
#include "grpcpp/support/byte_buffer.h"
#include "socketeer/stubs.h"

namespace socketeer::internal {

class StreamCore;

// Carries the frames of a StreamCore, which made it and which it keeps, until gRPC is done with it; then it deletes
// itself and tells the core that the call is over. One write at a time; a read is always pending.
class StreamCall final : public AttachStub::Reactor {
 public:
  explicit StreamCall(std::shared_ptr<StreamCore> core) : core_(std::move(core)) {}

  grpc::ClientContext& context() { return context_; }
  // Once. It writes `open`, and reads.
  void Begin(AttachStub& stub, grpc::ByteBuffer open);
  // From a thread that is not this call's: between Hold() and Unhold() it does not end. Hold() only while a read is
  // pending, which the core knows of.
  void Hold() { AddHold(); }
  void Unhold() { RemoveHold(); }
  // Precondition: nothing is being written.
  void Write(grpc::ByteBuffer frame);

 private:
  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnDone(const grpc::Status& status) override;

  std::shared_ptr<StreamCore> core_;
  grpc::ClientContext context_;
  grpc::ByteBuffer in_;   // gRPC's while a read is pending
  grpc::ByteBuffer out_;  // gRPC's while it is written
  bool first_ = true;     // nothing was written yet
};

}  // namespace socketeer::internal
