// A socket's bytes as a stream, the face with callbacks: attach.proto. The blocking one is stream.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "absl/status/statusor.h"
#include "absl/strings/cord.h"
#include "socketeer/stream_options.h"
#include "socketeer/v1/attach.pb.h"

namespace socketeer {

namespace internal {
class StreamCore;
}

// What an AsyncStream tells. On threads of gRPC, one call at a time and in order; a callback must not block, for these
// threads carry every stream. Each may call everything of its AsyncStream but the destructor.
class StreamObserver {
 public:
  virtual ~StreamObserver() = default;

  // It is attached: for the first time, and again after each OnBroken that did not end it. Only now there is room to
  // send; `opened.send_offset` is what the kernel had accepted.
  virtual void OnOpened(const v1::AttachOpened& opened) = 0;
  // The next bytes, at least one; shared with the message that they came in. They count against the receive window
  // until AsyncStream::Consume: who does not consume stops the peer.
  virtual void OnReceived(absl::Cord bytes) = 0;
  // What ends the receiving side, behind all bytes; one of the two, once.
  virtual void OnEndOfStream() = 0;
  virtual void OnReceiveError(const absl::Status& error) = 0;
  // The kernel has accepted all bytes below `offset`: there is room again.
  virtual void OnAccepted(uint64_t offset) = 0;
  // What ends the sending side: Shutdown is done, or bytes or the shutdown failed, and no more is sent. Once.
  virtual void OnShutdown() = 0;
  virtual void OnSendError(const absl::Status& error) = 0;
  // The answer to SetOptions: all options, or why one was refused.
  virtual void OnOptions(absl::StatusOr<v1::SocketOptions> options) { (void)options; }
  // The connection broke; it is tried to get back. Nothing is to be done.
  virtual void OnBroken(const absl::Status& why) { (void)why; }
  // The last call: OK after Detach, else an error as Stream's comment lists them.
  virtual void OnEnded(const absl::Status& why) = 0;
};

// A stream that is attached to a socket, made by RemoteSocket::AttachAsync; what comes of it the observer is told. It
// gets back by itself as Stream does. Nothing here blocks; thread-safe. Move-only.
class AsyncStream {
 public:
  AsyncStream(AsyncStream&& other) noexcept;
  AsyncStream& operator=(AsyncStream&& other) noexcept;
  // As Cancel, and waits until OnEnded has returned: the observer is called no more. Not inside a callback.
  ~AsyncStream();

  // Begins, once; before it nothing else but the destructor is called. From now on the observer may be called.
  void Start();

  // Takes from the front of `data` as many bytes as there is room for in the send window, and returns how many: 0 until
  // it is opened, and while the window is full; OnAccepted tells of room. kArgument after Shutdown and Detach; the
  // error of OnSendError or OnEnded after those.
  absl::StatusOr<size_t> Send(const absl::Cord& data);
  // Ends the sending side, behind all that was sent. No effect when that is over.
  void Shutdown();
  // setsockopt(2), behind all that was sent. kArgument before the answer to the last one, and after Detach.
  absl::Status SetOptions(const v1::SocketOptions& set);
  // So many more of the bytes that OnReceived told are done with. No more than those.
  void Consume(size_t bytes);
  // Ends the stream behind all that was sent. No callback that tells what is received begins any more; what is not
  // consumed by now stays with the socket.
  void Detach();
  // Ends it at once.
  void Cancel();

  // As Stream has them; received() is behind what was consumed.
  uint64_t sent() const;
  uint64_t accepted() const;
  uint64_t received() const;

 private:
  friend class RemoteSocket;
  friend class Stream;

  explicit AsyncStream(std::shared_ptr<internal::StreamCore> core);
  void End();

  std::shared_ptr<internal::StreamCore> core_;  // null after a move
};

}  // namespace socketeer
