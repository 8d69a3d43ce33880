// AttachSocket of a listener: between frames and a net::ListenerAttachment.
#pragma once

#include <memory>
#include <utility>

#include "server/net/listener_attachment.h"
#include "server/rpc/attach_call.h"

namespace socketeer::rpc {

// Makes sockets of the connections, as AcceptSocket does, and writes the frames; on the listener's loop. Kept by the
// attachment, and keeps its call.
class ListenerFrames final : public net::ListenerClient {
 public:
  explicit ListenerFrames(std::shared_ptr<Attach> call) : call_(std::move(call)) {}

  base::Result<std::shared_ptr<net::SocketObserver>> Reserve() override;
  base::Status Adopt(const std::shared_ptr<net::SocketObserver>& becomes, net::AcceptResult accepted) override;
  void OnConnection(uint64_t sequence, const std::shared_ptr<net::SocketObserver>& became) override;
  void OnReceiveFailure(uint64_t sequence, base::Error error) override;
  void OnReceiveError(base::Error error) override { call_->OnReceiveError(std::move(error)); }
  void OnOptions(base::Result<net::OptionList> options) override { call_->OnOptions(std::move(options)); }
  void OnDetached(std::optional<base::Error> why) override { call_->OnDetached(std::move(why)); }
  uint64_t Given() const override { return call_->Given(); }
  void Seal() override { call_->Seal(); }

 private:
  const std::shared_ptr<Attach> call_;
};

}  // namespace socketeer::rpc
