#include "client/cli/nc_far_end.h"

#include <string>

#include "google/protobuf/util/message_differencer.h"
#include "socketeer/status_macros.h"

namespace socketeer::cli {
namespace {

constexpr uint32_t kDatagramsAtOnce = 64;

}  // namespace

absl::StatusOr<std::optional<absl::Cord>> NcStream::Receive() {
  SOCKETEER_ASSIGN_OR_RETURN(absl::Cord bytes, stream_.Receive());
  if (bytes.empty()) return std::optional<absl::Cord>();
  return std::optional(std::move(bytes));
}

absl::Status NcDatagrams::Send(absl::Cord bytes) {
  v1::SendDatagramsRequest request;
  *request.add_datagrams()->mutable_payload() = std::string(bytes);
  return socket_.SendDatagrams(std::move(request), Calls()).status();
}

absl::StatusOr<std::optional<absl::Cord>> NcDatagrams::Receive() {
  SOCKETEER_RETURN_IF_ERROR(lost_);
  v1::ReceiveDatagramsRequest request;
  request.set_max_bytes(max_bytes_);
  request.set_max_datagrams(kDatagramsAtOnce);
  SOCKETEER_ASSIGN_OR_RETURN(v1::ReceiveDatagramsResponse response,
                             socket_.ReceiveDatagrams(std::move(request), Calls()));
  absl::Cord bytes;
  for (v1::IncomingDatagram& datagram : *response.mutable_datagrams()) {
    if (!IsOfPeer(datagram)) continue;
    const size_t size = datagram.payload().size();
    bytes.Append(std::move(*datagram.mutable_payload()));
    if (datagram.truncated()) {
      lost_ = absl::DataLossError("a datagram of " + std::to_string(datagram.true_size()) + " bytes was cut to " +
                                  std::to_string(size) + ", the most that the daemon gives out");
    }
  }
  return std::optional(std::move(bytes));
}

bool NcDatagrams::IsOfPeer(const v1::IncomingDatagram& datagram) const {
  return !peer_.has_value() || google::protobuf::util::MessageDifferencer::Equals(datagram.source(), *peer_);
}

}  // namespace socketeer::cli
