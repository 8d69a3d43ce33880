// Datagrams through AttachSocket by hand (datagrams.cc): one thread, one frame after another.
#pragma once

#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>

#include "socketeer/v1/socket_service.grpc.pb.h"
#include "tests/bench/method.h"

namespace socketeer::bench {

// A stream for the socket `name`, with the widest windows that there are. Cancelled at the end.
class AttachedDatagrams {
 public:
  AttachedDatagrams(const std::shared_ptr<grpc::Channel>& channel, const std::string& name)
      : stream_(v1::SocketService::NewStub(channel)->AttachSocket(&context_)) {
    v1::AttachSocketRequest request;
    request.mutable_open()->set_name(name);
    request.mutable_open()->set_receive_window(kWindow);
    request.mutable_open()->set_send_window(kWindow);
    Write(request);
    if (!Read().has_opened()) Check(grpc::Status(grpc::StatusCode::UNKNOWN, "no opened"), "AttachSocket");
  }
  ~AttachedDatagrams() {
    context_.TryCancel();
    stream_->Finish();
  }

  // As many datagrams as `frame` has, when there is credit for them; or waits for some.
  void Send(v1::AttachSocketRequest& frame) {
    const auto count = static_cast<uint64_t>(frame.datagrams().datagrams_size());
    if (sent_ + count > accepted_ + kWindow) {
      accepted_ = Read().acknowledge().offset();
      return;
    }
    frame.mutable_datagrams()->set_sequence(sent_);
    sent_ += count;
    Write(frame);
  }

  // How many came in the next frame.
  uint64_t Receive() {
    const v1::AttachSocketResponse& frame = Read();
    const auto count = static_cast<uint64_t>(frame.datagrams().datagrams_size());
    acknowledge_.mutable_acknowledge()->set_offset(frame.datagrams().sequence() + count);
    Write(acknowledge_);
    return count;
  }

 private:
  static constexpr uint32_t kWindow = 1'024;

  void Write(const v1::AttachSocketRequest& request) {
    if (!stream_->Write(request)) Check(stream_->Finish(), "AttachSocket");
  }
  const v1::AttachSocketResponse& Read() {
    if (!stream_->Read(&response_)) Check(stream_->Finish(), "AttachSocket");
    return response_;
  }

  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReaderWriter<v1::AttachSocketRequest, v1::AttachSocketResponse>> stream_;
  v1::AttachSocketRequest acknowledge_;
  v1::AttachSocketResponse response_;
  uint64_t sent_ = 0, accepted_ = 0;
};

}  // namespace socketeer::bench
