#include "socketeer/remote_socket.h"

#include <utility>

#include "client/lib/connection.h"
#include "client/lib/fill.h"
#include "socketeer/error.h"
#include "socketeer/status_macros.h"

namespace socketeer {
namespace {

using Sockets = v1::SocketService::StubInterface;
using internal::Filled;

// Of the close that nobody waits for.
constexpr absl::Duration kLastCloseTime = absl::Seconds(1);

}  // namespace

RemoteSocket::RemoteSocket(std::shared_ptr<internal::Connection> connection, v1::Socket socket, Ownership ownership)
    : connection_(std::move(connection)), socket_(std::move(socket)), owned_(ownership == Ownership::kOwned) {}

RemoteSocket::RemoteSocket(RemoteSocket&& other) noexcept
    : connection_(std::move(other.connection_)),
      socket_(std::move(other.socket_)),
      failed_attempts_(std::move(other.failed_attempts_)),
      owned_(std::exchange(other.owned_, false)) {}

RemoteSocket& RemoteSocket::operator=(RemoteSocket&& other) noexcept {
  if (this == &other) return *this;
  CloseIfOwned();
  connection_ = std::move(other.connection_);
  socket_ = std::move(other.socket_);
  failed_attempts_ = std::move(other.failed_attempts_);
  owned_ = std::exchange(other.owned_, false);
  return *this;
}

RemoteSocket::~RemoteSocket() { CloseIfOwned(); }

void RemoteSocket::CloseIfOwned() {
  if (!owned_) return;
  owned_ = false;
  (void)connection_->CallWithin(kLastCloseTime, connection_->stubs().sockets, &Sockets::CloseSocket,
                                Filled<v1::CloseSocketRequest>(socket_), CallOptions());
}

absl::StatusOr<v1::Socket> RemoteSocket::Close(const CallOptions& options) {
  absl::StatusOr<v1::CloseSocketResponse> response = connection_->Call(
      connection_->stubs().sockets, &Sockets::CloseSocket, Filled<v1::CloseSocketRequest>(socket_), options);
  if (response.ok()) {
    owned_ = false;
    return std::move(*response->mutable_socket());
  }
  if (response.status().code() == absl::StatusCode::kNotFound) owned_ = false;
  return response.status();
}

absl::StatusOr<v1::Socket> RemoteSocket::Get(const CallOptions& options) const {
  return connection_->Call(connection_->stubs().sockets, &Sockets::GetSocket, Filled<v1::GetSocketRequest>(socket_),
                           options);
}

absl::StatusOr<v1::Socket> RemoteSocket::Bind(const v1::Endpoint& local, const CallOptions& options) const {
  auto request = Filled<v1::BindSocketRequest>(socket_);
  *request.mutable_local() = local;
  return connection_->Call(connection_->stubs().sockets, &Sockets::BindSocket, request, options);
}

absl::StatusOr<v1::Socket> RemoteSocket::Connect(v1::ConnectSocketRequest request, const CallOptions& options) const {
  SOCKETEER_ASSIGN_OR_RETURN(v1::ConnectSocketResponse response,
                             connection_->CallWaiting(connection_->stubs().sockets, &Sockets::ConnectSocket,
                                                      Filled(socket_, std::move(request)), options));
  if (response.timed_out()) {
    return TimedOutError("connect: no result in time; " + name() + " goes on connecting");
  }
  return std::move(*response.mutable_socket());
}

absl::StatusOr<v1::Socket> RemoteSocket::Connect(const v1::Endpoint& peer, const CallOptions& options) const {
  v1::ConnectSocketRequest request;
  *request.mutable_peer() = peer;
  return Connect(std::move(request), options);
}

absl::StatusOr<v1::Socket> RemoteSocket::Disconnect(const CallOptions& options) const {
  v1::ConnectSocketRequest request;
  request.set_disconnect(true);
  return Connect(std::move(request), options);
}

absl::StatusOr<v1::Socket> RemoteSocket::Listen(std::optional<int32_t> backlog, const CallOptions& options) const {
  auto request = Filled<v1::ListenSocketRequest>(socket_);
  if (backlog.has_value()) request.set_backlog(*backlog);
  return connection_->Call(connection_->stubs().sockets, &Sockets::ListenSocket, request, options);
}

absl::StatusOr<RemoteSocket> RemoteSocket::Accept(v1::AcceptSocketRequest request, const CallOptions& options) const {
  SOCKETEER_ASSIGN_OR_RETURN(v1::AcceptSocketResponse response,
                             connection_->CallWaiting(connection_->stubs().sockets, &Sockets::AcceptSocket,
                                                      Filled(socket_, std::move(request)), options));
  if (response.timed_out()) return TimedOutError("accept: nobody connected in time");
  return RemoteSocket(connection_, std::move(*response.mutable_socket()), Ownership::kOwned);
}

absl::StatusOr<RemoteSocket> RemoteSocket::Accept(const CallOptions& options) const {
  return Accept(v1::AcceptSocketRequest(), options);
}

absl::StatusOr<v1::Socket> RemoteSocket::Shutdown(v1::Direction direction, const CallOptions& options) const {
  v1::ShutdownSocketRequest request;
  request.set_direction(direction);
  SOCKETEER_ASSIGN_OR_RETURN(v1::ShutdownSocketResponse response,
                             connection_->CallWaiting(connection_->stubs().sockets, &Sockets::ShutdownSocket,
                                                      Filled(socket_, std::move(request)), options));
  if (response.timed_out()) {
    return TimedOutError("shutdown: earlier sends still wait; nothing was shut down");
  }
  return std::move(*response.mutable_socket());
}

absl::StatusOr<v1::Socket> RemoteSocket::Transfer(std::string_view session, const CallOptions& options) {
  auto request = Filled<v1::TransferSocketRequest>(socket_);
  request.set_session(std::string(session));
  SOCKETEER_ASSIGN_OR_RETURN(
      v1::Socket socket, connection_->Call(connection_->stubs().sockets, &Sockets::TransferSocket, request, options));
  if (!connection_->session().empty()) connection_ = connection_->InSession(request.session());
  return socket;
}

absl::StatusOr<v1::Socket> RemoteSocket::Share(std::string_view identity, v1::Access access,
                                               const CallOptions& options) const {
  auto request = Filled<v1::ShareSocketRequest>(socket_);
  request.set_identity(std::string(identity));
  request.set_access(access);
  return connection_->Call(connection_->stubs().sockets, &Sockets::ShareSocket, request, options);
}

absl::StatusOr<v1::Socket> RemoteSocket::Unshare(std::string_view identity, const CallOptions& options) const {
  auto request = Filled<v1::UnshareSocketRequest>(socket_);
  request.set_identity(std::string(identity));
  return connection_->Call(connection_->stubs().sockets, &Sockets::UnshareSocket, request, options);
}

absl::StatusOr<v1::SocketOptions> RemoteSocket::GetOptions(const CallOptions& options) const {
  return connection_->Call(connection_->stubs().sockets, &Sockets::GetSocketOptions,
                           Filled<v1::GetSocketOptionsRequest>(socket_), options);
}

absl::StatusOr<v1::SocketOptions> RemoteSocket::SetOptions(const v1::SocketOptions& changes,
                                                           const CallOptions& options) const {
  auto request = Filled<v1::SetSocketOptionsRequest>(socket_);
  *request.mutable_options() = changes;
  return connection_->Call(connection_->stubs().sockets, &Sockets::SetSocketOptions, request, options);
}

absl::StatusOr<v1::Socket> RemoteSocket::UpdateLabels(const std::map<std::string, std::string>& set,
                                                      const std::vector<std::string>& remove,
                                                      const CallOptions& options) const {
  v1::UpdateSocketRequest request;
  *request.mutable_socket() = Filled<v1::Socket>(socket_);
  for (const auto& [key, value] : set) {
    (*request.mutable_socket()->mutable_labels())[key] = value;
    request.mutable_update_mask()->add_paths("labels." + key);
  }
  for (const std::string& key : remove) request.mutable_update_mask()->add_paths("labels." + key);
  return connection_->Call(connection_->stubs().sockets, &Sockets::UpdateSocket, request, options);
}

}  // namespace socketeer
