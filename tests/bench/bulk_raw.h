// AttachSocket with bytes instead of messages: what calls of the bare server and of the daemon have in common.
#pragma once

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include <memory>

#include "client/lib/channel.h"
#include "tests/bench/bulk_mover.h"

namespace socketeer::bench {

// The library's own channel, with its arguments: both sides of a comparison have it.
inline std::shared_ptr<grpc::Channel> LibraryChannel(const std::string& endpoint) {
  const auto target = internal::ParseTarget(endpoint);
  if (!target.ok()) Fail(std::string(target.status().message()));
  return internal::MakeChannel(*target);
}

// A call is a mover. gRPC's threads; one read and one write at a time.
class RawCall : public Mover, protected grpc::ClientBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
 public:
  explicit RawCall(std::shared_ptr<grpc::Channel> channel) : stub_(std::move(channel)) {}
  // Before it is destroyed, by who derived from it: gRPC must not call what is gone.
  void Join() { done_.get_future().wait(); }

 protected:
  void Begin() {
    stub_.PrepareBidiStreamingCall(&context_, "/socketeer.v1.SocketService/AttachSocket", {}, this);
    AddHold();  // it ends when all is said
    StartRead(&incoming_);
    StartCall();
  }
  void End() { RemoveHold(); }
  void Cancel() { context_.TryCancel(); }
  grpc::ByteBuffer& incoming() { return incoming_; }

  static grpc::Slice Zeros(size_t size) { return {kZeros.data(), size, grpc::Slice::STATIC_SLICE}; }

 private:
  void OnDone(const grpc::Status& status) override {
    if (!status.ok() && status.error_code() != grpc::StatusCode::CANCELLED) Fail(status.error_message());
    done_.set_value();
  }

  grpc::GenericStub stub_;
  grpc::ClientContext context_;
  grpc::ByteBuffer incoming_;
  std::promise<void> done_;
};

}  // namespace socketeer::bench
