// A socket on another host.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "socketeer/call_options.h"
#include "socketeer/stream_options.h"
#include "socketeer/v1/socket_service.pb.h"

namespace socketeer {

class AsyncStream;     // socketeer/async_stream.h
class Stream;          // socketeer/stream.h
class StreamObserver;  // socketeer/async_stream.h

namespace internal {
class Connection;
}

// A handle of one socket; move-only, blocking. What Open and Accept return owns its socket: the
// destructor closes it, best effort, within a second. Close says whether that worked; Release lets
// the socket live on. What Host::Find and Host::Handle return owns nothing.
//
// Any number of threads may make calls at once, also Close, which ends the others' with reason
// SOCKET_CLOSED. Moving, Transfer, Release and destruction need the handle for themselves.
//
// A verb that takes a request can do all that the API can (socket_service.proto); `name` and `uid`
// are filled in. Calls with a part of a result say so in it (`timed_out`); the others return
// ErrorKind::kTimedOut.
class RemoteSocket {
 public:
  RemoteSocket(RemoteSocket&& other) noexcept;
  RemoteSocket& operator=(RemoteSocket&& other) noexcept;
  ~RemoteSocket();

  // "sockets/{id}".
  const std::string& name() const { return socket_.name(); }
  // The socket as it was when this handle was made; of Host::Handle only the name.
  const v1::Socket& socket() const { return socket_; }
  // Its address then: where a listener listens.
  const v1::Endpoint& local() const { return socket_.local(); }
  const v1::Endpoint& peer() const { return socket_.peer(); }
  // Addresses of the name that Open tried before and that failed.
  const std::vector<v1::FailedAttempt>& failed_attempts() const { return failed_attempts_; }

  absl::StatusOr<v1::Socket> Get(const CallOptions& options = {}) const;
  absl::StatusOr<v1::Socket> Bind(const v1::Endpoint& local, const CallOptions& options = {}) const;
  absl::StatusOr<v1::Socket> Connect(v1::ConnectSocketRequest request, const CallOptions& options = {}) const;
  absl::StatusOr<v1::Socket> Connect(const v1::Endpoint& peer, const CallOptions& options = {}) const;
  absl::StatusOr<v1::Socket> Disconnect(const CallOptions& options = {}) const;
  // Without a backlog: the daemon's default.
  absl::StatusOr<v1::Socket> Listen(std::optional<int32_t> backlog = std::nullopt,
                                    const CallOptions& options = {}) const;
  absl::StatusOr<RemoteSocket> Accept(v1::AcceptSocketRequest request, const CallOptions& options = {}) const;
  absl::StatusOr<RemoteSocket> Accept(const CallOptions& options = {}) const;

  // Streams. `data` in one call is at most Limits.max_payload_bytes; SendAll takes any size.
  absl::StatusOr<v1::SendDataResponse> Send(v1::SendDataRequest request, const CallOptions& options = {}) const;
  // Sends every byte, in calls of at most kSendChunkBytes. The timeout bounds how long no byte may
  // move, not the whole. An error's SocketError.bytes_done counts all bytes sent before it.
  absl::StatusOr<v1::SendDataResponse> SendAll(std::string_view data, const CallOptions& options = {}) const;
  absl::StatusOr<v1::ReceiveDataResponse> Receive(v1::ReceiveDataRequest request,
                                                  const CallOptions& options = {}) const;
  // What is there, at least one byte or the end of the stream; `max_bytes` 0: the daemon's default.
  absl::StatusOr<v1::ReceiveDataResponse> Receive(uint32_t max_bytes = 0, const CallOptions& options = {}) const;

  // Attaches a stream to a stream socket that is connected, and waits until it is. The stream may outlive this handle,
  // but not the socket. Errors beside those of any call: SOCKET_ATTACHED, CALL_WAITING (both: StreamOptions::takeover),
  // WRONG_KIND, WRONG_STATE, OFFSET_OUT_OF_RANGE, INVALID_FIELD (a window), LIMIT_REACHED (max_send_window_bytes).
  absl::StatusOr<Stream> Attach(const StreamOptions& options = {}) const;
  // The same without waiting, when it is told to start: `observer` is told, of a failure by OnEnded. It is not owned
  // and outlives the stream.
  AsyncStream AttachAsync(const StreamOptions& options, StreamObserver* observer) const;

  // Datagrams and seqpacket records.
  absl::StatusOr<v1::SendDatagramsResponse> SendDatagrams(v1::SendDatagramsRequest request,
                                                          const CallOptions& options = {}) const;
  absl::StatusOr<v1::ReceiveDatagramsResponse> ReceiveDatagrams(v1::ReceiveDatagramsRequest request,
                                                                const CallOptions& options = {}) const;

  absl::StatusOr<v1::Socket> Shutdown(v1::Direction direction, const CallOptions& options = {}) const;
  absl::StatusOr<v1::SocketOptions> GetOptions(const CallOptions& options = {}) const;
  absl::StatusOr<v1::SocketOptions> SetOptions(const v1::SocketOptions& changes, const CallOptions& options = {}) const;
  // Sets some labels, removes others, leaves the rest alone.
  absl::StatusOr<v1::Socket> UpdateLabels(const std::map<std::string, std::string>& set,
                                          const std::vector<std::string>& remove,
                                          const CallOptions& options = {}) const;

  // Moves the socket to another session of the caller, "sessions/{id}"; what waits on it goes on. If this handle's
  // calls were made in a session, from now on they are made in the new one: it needs the handle for itself, as a move
  // does. Who hands the socket over calls Release.
  absl::StatusOr<v1::Socket> Transfer(std::string_view session, const CallOptions& options = {});

  // Lets another identity ("uid:1000", "token:ci") observe or use the socket; the answer has all grants. Errors beside
  // those of any call: INVALID_FIELD (identity, access), LIMIT_REACHED (max_grants_per_socket), GRANT_INSUFFICIENT (it
  // is shared with the caller, not his).
  absl::StatusOr<v1::Socket> Share(std::string_view identity, v1::Access access, const CallOptions& options = {}) const;
  // Ends that. What the identity had under way on the socket is over when this returns. GRANT_NOT_FOUND.
  absl::StatusOr<v1::Socket> Unshare(std::string_view identity, const CallOptions& options = {}) const;

  // Closes the socket; the answer is how it was last. The handle owns nothing afterwards, unless
  // the daemon could not be reached.
  absl::StatusOr<v1::Socket> Close(const CallOptions& options = {});
  // The socket outlives the handle.
  void Release() { owned_ = false; }

 private:
  friend class Host;
  enum class Ownership { kOwned, kBorrowed };

  RemoteSocket(std::shared_ptr<internal::Connection> connection, v1::Socket socket, Ownership ownership);
  void CloseIfOwned();

  std::shared_ptr<internal::Connection> connection_;  // null after a move
  v1::Socket socket_;
  std::vector<v1::FailedAttempt> failed_attempts_;
  bool owned_;
};

// The most that SendAll puts into one call.
inline constexpr size_t kSendChunkBytes = 1 << 20;

}  // namespace socketeer
