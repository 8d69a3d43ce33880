#include <cstdint>
#include <optional>
#include <utility>

#include "absl/strings/cord.h"
#include "client/lib/connection.h"
#include "client/lib/fill.h"
#include "socketeer/error.h"
#include "socketeer/remote_socket.h"
#include "socketeer/status_macros.h"

namespace socketeer {
namespace {

using Sockets = v1::SocketService::StubInterface;
using internal::Filled;

// `status` with the bytes of earlier calls counted in.
absl::Status WithBytesBefore(absl::Status status, uint64_t bytes) {
  std::optional<v1::SocketError> error = SocketErrorOf(status);
  if (!error.has_value() || bytes == 0) return status;
  error->set_bytes_done(error->bytes_done() + bytes);
  status.SetPayload("type.googleapis.com/" + v1::SocketError::descriptor()->full_name(),
                    absl::Cord(error->SerializeAsString()));
  return status;
}

}  // namespace

absl::StatusOr<v1::SendDataResponse> RemoteSocket::Send(v1::SendDataRequest request, const CallOptions& options) const {
  return connection_->CallWaiting(connection_->stubs().sockets, &Sockets::SendData, Filled(socket_, std::move(request)),
                                  options);
}

absl::StatusOr<v1::SendDataResponse> RemoteSocket::SendAll(std::string_view data, const CallOptions& options) const {
  v1::SendDataResponse total;
  do {
    v1::SendDataRequest request;
    request.set_mode(v1::MODE_WHOLE);
    const std::string_view chunk = data.substr(0, kSendChunkBytes);
    request.set_data(chunk.data(), chunk.size());
    const absl::StatusOr<v1::SendDataResponse> response = Send(std::move(request), options);
    if (!response.ok()) return WithBytesBefore(response.status(), total.bytes_sent());
    const uint64_t sent = response->bytes_sent();
    if (sent > chunk.size() || (sent < chunk.size() && !response->timed_out())) {
      return absl::InternalError("the daemon answered SendData with a count that cannot be");
    }
    total.set_bytes_sent(total.bytes_sent() + sent);
    total.set_next_offset(response->next_offset());
    total.set_timed_out(response->timed_out() && sent == 0);
    data.remove_prefix(sent);
  } while (!data.empty() && !total.timed_out());
  return total;
}

absl::StatusOr<v1::ReceiveDataResponse> RemoteSocket::Receive(v1::ReceiveDataRequest request,
                                                              const CallOptions& options) const {
  return connection_->CallWaiting(connection_->stubs().sockets, &Sockets::ReceiveData,
                                  Filled(socket_, std::move(request)), options);
}

absl::StatusOr<v1::ReceiveDataResponse> RemoteSocket::Receive(uint32_t max_bytes, const CallOptions& options) const {
  v1::ReceiveDataRequest request;
  request.set_max_bytes(max_bytes);
  return Receive(std::move(request), options);
}

absl::StatusOr<v1::SendDatagramsResponse> RemoteSocket::SendDatagrams(v1::SendDatagramsRequest request,
                                                                      const CallOptions& options) const {
  return connection_->CallWaiting(connection_->stubs().sockets, &Sockets::SendDatagrams,
                                  Filled(socket_, std::move(request)), options);
}

absl::StatusOr<v1::ReceiveDatagramsResponse> RemoteSocket::ReceiveDatagrams(v1::ReceiveDatagramsRequest request,
                                                                            const CallOptions& options) const {
  return connection_->CallWaiting(connection_->stubs().sockets, &Sockets::ReceiveDatagrams,
                                  Filled(socket_, std::move(request)), options);
}

}  // namespace socketeer
