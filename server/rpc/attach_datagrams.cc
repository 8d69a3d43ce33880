#include "server/rpc/attach_datagrams.h"

#include <string>

#include "server/rpc/address_book.h"
#include "server/rpc/convert.h"

namespace socketeer::rpc {
namespace {

base::Result<net::SocketAddress> DestinationFrom(const v1::Endpoint& endpoint, const std::string& field,
                                                 const net::SocketKind& kind) {
  if (kind.IsConnectionOriented()) {
    // The kernel would send it to the peer, without a word.
    return base::InvalidField(field, endpoint.ShortDebugString(), "absent: a record goes to the connected peer");
  }
  if (endpoint.has_named()) {
    return base::InvalidField(field + ".named", endpoint.named().host(),
                              "absent: an attached stream resolves no names; use inet, unix_domain or raw");
  }
  auto address = FromProto(endpoint, field);
  if (!address.ok()) return std::move(address).error();
  return ForFamily(*address, kind.family);
}

}  // namespace

base::Result<std::vector<net::QueuedDatagram>> TakeDatagrams(v1::AttachOutgoingDatagrams& frame,
                                                             const net::SocketKind& kind, const base::Limits& limits) {
  const int count = frame.datagrams_size();
  if (count == 0 || static_cast<uint32_t>(count) > limits.max_datagrams_per_call) {
    return base::InvalidField("datagrams.datagrams", std::to_string(count) + " datagrams",
                              "1 to " + std::to_string(limits.max_datagrams_per_call) + " datagrams");
  }
  std::vector<net::QueuedDatagram> datagrams;
  datagrams.reserve(static_cast<size_t>(count));
  uint64_t bytes = 0;
  for (int i = 0; i < count; ++i) {
    v1::OutgoingDatagram& each = *frame.mutable_datagrams(i);
    bytes += each.payload().size();
    net::SocketAddress to;
    if (each.has_destination()) {
      auto address =
          DestinationFrom(each.destination(), "datagrams.datagrams[" + std::to_string(i) + "].destination", kind);
      if (!address.ok()) return std::move(address).error();
      to = *std::move(address);
    }
    datagrams.push_back({.payload = std::move(*each.mutable_payload()), .destination = std::move(to)});
  }
  if (bytes > limits.max_payload_bytes) {
    return base::InvalidField("datagrams.datagrams", std::to_string(bytes) + " bytes",
                              "at most " + std::to_string(limits.max_payload_bytes) + " bytes together");
  }
  return datagrams;
}

bool MergeDatagrams(AttachResponse& queued, AttachResponse& next) {
  v1::AttachIncomingDatagrams& before = *queued.message.mutable_datagrams();
  v1::AttachIncomingDatagrams& behind = *next.message.mutable_datagrams();
  if (before.sequence() + static_cast<uint64_t>(before.datagrams_size()) != behind.sequence()) return false;
  if (queued.size + next.size > base::kMaxFrameBytes) return false;
  queued.size += next.size;
  before.set_dropped(behind.dropped());
  for (v1::IncomingDatagram& each : *behind.mutable_datagrams()) *before.add_datagrams() = std::move(each);
  return true;
}

void DatagramFrames::OnDatagrams(uint64_t sequence, std::span<const net::IncomingDatagram> datagrams,
                                 uint64_t dropped) {
  AttachResponse response;
  v1::AttachIncomingDatagrams& out = *response.message.mutable_datagrams();
  out.set_sequence(sequence);
  out.set_dropped(dropped);
  for (const net::IncomingDatagram& each : datagrams) {
    response.size += each.payload.size() + base::kDatagramOverhead;
    ToProto(each, out.add_datagrams());
  }
  call_->Send(std::move(response));
}

void DatagramFrames::OnReceiveFailure(uint64_t sequence, base::Error error) {
  v1::AttachSocketResponse response;
  response.mutable_receive_failure()->set_sequence(sequence);
  *response.mutable_receive_failure()->mutable_error() = ToRichStatus(call_->Told(error));
  call_->SendMessage(std::move(response));
}

void DatagramFrames::OnSendFailure(uint64_t sequence, base::Error error) {
  v1::AttachSocketResponse response;
  response.mutable_send_failure()->set_sequence(sequence);
  *response.mutable_send_failure()->mutable_error() = ToRichStatus(call_->Told(error));
  call_->SendMessage(std::move(response));
}

}  // namespace socketeer::rpc
