// A socket's bytes as a stream, the blocking face: attach.proto. The one with callbacks is async_stream.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/strings/cord.h"
#include "socketeer/call_options.h"
#include "socketeer/stream_options.h"
#include "socketeer/v1/options.pb.h"
#include "socketeer/v1/socket.pb.h"

namespace socketeer {

// A stream that is attached to a socket, made by RemoteSocket::Attach. While it is, no other call has the socket's
// bytes. Move-only. It owns no socket: that is there when the stream has ended, and may be attached to anew.
//
//   absl::StatusOr<socketeer::Stream> stream = socket->Attach();
//   stream->Send("GET / HTTP/1.0\r\n\r\n").IgnoreError();
//   stream->Shutdown().IgnoreError();
//   for (auto bytes = stream->Receive(); bytes.ok() && !bytes->empty(); bytes = stream->Receive()) std::cout << *bytes;
//
// When its connection breaks it gets back by itself (StreamOptions::patience): no byte is lost, none comes twice, and a
// caller notices nothing but the time that it takes. It ends for good, and every call returns why:
//   kUnreachable   the connection broke, and was not back in time
//   kDraining      the daemon is stopping
//   kCancelled     Cancel(), or the cancellation of StreamOptions
//   kProtocol      what answers breaks the rules of attach.proto
//   kDaemon        the daemon ended it; ReasonOf: TAKEN_OVER (by another stream; it does not fight), SOCKET_CLOSED,
//                  SOCKET_NOT_FOUND, SESSION_ENDED, OFFSET_OUT_OF_RANGE (another stream has had the bytes) ...
//
// One thread may send (Send, Flush, Shutdown, SetOptions, Detach) while another receives; Cancel and the offsets are
// for any. A call returns kTimedOut after CallOptions::timeout, else HostOptions::default_timeout, and kCancelled when
// its own cancellation says so: that leaves the stream as it is. Moving and destruction need the object for themselves.
class Stream {
 public:
  Stream(Stream&& other) noexcept;
  Stream& operator=(Stream&& other) noexcept;
  // As Cancel: what the kernel had not accepted is lost. Detach first to end it in order. Waits for what gRPC still has
  // to do, which takes no time worth mention. Not on a thread that runs a callback of gRPC or of an AsyncStream.
  ~Stream();

  // The socket as it was when the stream was attached.
  const v1::Socket& socket() const;

  // Hands `data` over, in order, and returns when the last byte is; blocks while the send window is full. The bytes are
  // shared, not copied. OK says nothing of the kernel: Flush does. After kTimedOut and kCancelled a part may have been
  // handed over: sent() says up to where.
  // Errors: the kernel's (ECONNRESET, EPIPE ...), if one came up in what was sent before; from then on nothing is sent.
  // kArgument after Shutdown or Detach.
  absl::Status Send(absl::Cord data, const CallOptions& options = {});
  // The same with a copy of the bytes, made once.
  absl::Status Send(std::string_view data, const CallOptions& options = {});
  // Waits until the host's kernel has accepted all that was sent. Errors as Send.
  absl::Status Flush(const CallOptions& options = {});
  // Ends the sending side, behind all that was sent, and waits until the kernel has done so: the peer sees the end. May
  // be repeated. Errors as Send.
  absl::Status Shutdown(const CallOptions& options = {});
  // setsockopt(2) behind all that was sent, for each option that is set; at least one. The answer is all options as
  // the kernel has them now. An option that is refused ends nothing. One whose result did not come in time is set
  // nevertheless, before the next.
  absl::StatusOr<v1::SocketOptions> SetOptions(const v1::SocketOptions& set, const CallOptions& options = {});

  // Waits for bytes: at least one, at most `max_bytes` (0: as many as are there). An empty Cord is the end of the
  // stream: the peer sends no more. The bytes are shared with the messages that they came in, not copied; what is
  // returned counts as consumed, and makes room for more. Errors: the kernel's (ECONNRESET ...), behind all bytes
  // before it. The end and an error are told again each time.
  absl::StatusOr<absl::Cord> Receive(size_t max_bytes = 0, const CallOptions& options = {});

  // Ends the stream behind all that was sent, and waits for that; the socket stays, with what was not received yet. OK:
  // the kernel has accepted everything. An error of sending is told here too. After kTimedOut it goes on; call it again
  // or Cancel.
  absl::Status Detach(const CallOptions& options = {});
  // Ends it at once: calls that wait, and every later one, return kCancelled. The socket stays. Does not wait.
  void Cancel();

  // Offsets, counted from 0 at the socket's first byte. Behind what was handed to Send,
  uint64_t sent() const;
  // behind what the host's kernel has accepted of it,
  uint64_t accepted() const;
  // and behind what Receive has returned: where a later stream goes on (StreamOptions::receive_offset).
  uint64_t received() const;

 private:
  friend class RemoteSocket;
  class Impl;

  explicit Stream(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;  // null after a move
};

}  // namespace socketeer
