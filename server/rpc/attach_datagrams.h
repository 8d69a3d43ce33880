// AttachSocket of datagrams and records: between frames and a net::DatagramAttachment.
#pragma once

#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "server/net/datagram_attachment.h"
#include "server/rpc/attach_call.h"

namespace socketeer::rpc {

// Takes them out of the frame. INVALID_FIELD.
base::Result<std::vector<net::QueuedDatagram>> TakeDatagrams(v1::AttachOutgoingDatagrams& frame,
                                                             const net::SocketKind& kind, const base::Limits& limits);

// Both hold datagrams. As Attach::Merge().
bool MergeDatagrams(AttachResponse& queued, AttachResponse& next);

// Writes the frames; on the socket's loop. Kept by the attachment, and keeps its call.
class DatagramFrames final : public net::DatagramClient {
 public:
  explicit DatagramFrames(std::shared_ptr<Attach> call) : call_(std::move(call)) {}

  void OnDatagrams(uint64_t sequence, std::span<const net::IncomingDatagram> datagrams, uint64_t dropped) override;
  void OnReceiveFailure(uint64_t sequence, base::Error error) override;
  void OnEndOfStream(uint64_t sequence) override { call_->OnEndOfStream(sequence); }
  void OnReceiveError(base::Error error) override { call_->OnReceiveError(std::move(error)); }
  void OnDone(uint64_t sequence) override { call_->OnAccepted(sequence); }
  uint64_t DoneTold() const override { return call_->acknowledged_.load(); }
  void OnSendFailure(uint64_t sequence, base::Error error) override;
  void OnSendError(base::Error error) override { call_->OnSendError(std::move(error)); }
  void OnShutdown() override { call_->OnShutdown(); }
  void OnOptions(base::Result<net::OptionList> options) override { call_->OnOptions(std::move(options)); }
  void OnDetached(std::optional<base::Error> why) override { call_->OnDetached(std::move(why)); }
  uint64_t Given() const override { return call_->Given(); }
  void Seal() override { call_->Seal(); }

 private:
  const std::shared_ptr<Attach> call_;
};

}  // namespace socketeer::rpc
