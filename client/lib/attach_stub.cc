#include <utility>

#include "grpcpp/generic/generic_stub.h"
#include "socketeer/stubs.h"

namespace socketeer {
namespace {

constexpr char kMethod[] = "/socketeer.v1.SocketService/AttachSocket";

class ChannelAttachStub final : public AttachStub {
 public:
  explicit ChannelAttachStub(std::shared_ptr<grpc::ChannelInterface> channel) : stub_(std::move(channel)) {}

  void AttachSocket(grpc::ClientContext* context, Reactor* reactor) override {
    stub_.PrepareBidiStreamingCall(context, kMethod, grpc::StubOptions(), reactor);
  }

 private:
  grpc::GenericStub stub_;
};

}  // namespace

std::shared_ptr<AttachStub> NewAttachStub(std::shared_ptr<grpc::ChannelInterface> channel) {
  return std::make_shared<ChannelAttachStub>(std::move(channel));
}

}  // namespace socketeer
