// What is attached to a socket: a stream of frames instead of calls. attachment.h is for bytes, datagram_attachment.h
// for datagrams and records, listener_attachment.h for the connections of a listener.
//
// On the socket's loop's thread. One for a socket at a time; the socket owns it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "server/base/result.h"
#include "server/net/actor.h"
#include "server/net/options.h"
#include "server/net/socket_info.h"

namespace socketeer::net {

enum class AttachKind { kStream, kDatagrams, kListener };

// What an attach to such a socket would be.
inline AttachKind AttachKindOf(const SocketInfo& info) {
  if (info.state == State::kListening) return AttachKind::kListener;
  return info.kind.IsStream() ? AttachKind::kStream : AttachKind::kDatagrams;
}

// Windows and numbers are of bytes, datagrams or connections.
struct AttachTerms {
  std::optional<uint64_t> receive_offset = {};  // of the first wanted; absent: what was given to nobody
  std::optional<uint64_t> send_offset = {};     // of the first to be sent; absent: behind what the kernel accepted
  uint64_t receive_window = 0;                  // how many may be handed out and not be acknowledged
  uint64_t send_window = 0;                     // how many may wait for the kernel
  bool takeover = false;                        // ends another attachment, and calls that wait
  std::shared_ptr<const Actor> actor = {};      // for whom; null: for the socket's owner
  uint64_t resumes = 0;  // Socket::attachment_id() of the one that this goes on with, if nobody had the data since
};

class Attached {
 public:
  virtual ~Attached() = default;

  // --- For its client. ---
  virtual uint64_t next() const = 0;  // the number of the next to hand out
  // From now on the client is called.
  virtual void Begin() = 0;
  // All below `number` is where it belongs. OFFSET_OUT_OF_RANGE changes nothing.
  virtual base::Status Acknowledge(uint64_t number) = 0;
  // Each behind what was sent before. A listener has nothing to shut down.
  virtual void Shutdown() {}
  virtual void SetOptions(OptionList options) = 0;
  // Nothing more is received.
  virtual void Detach() = 0;
  // At once; the client is not called any more. No effect when it is over already.
  virtual void Leave() = 0;

  // --- For its socket. ---
  virtual void OnEvents(uint32_t events) = 0;
  // Others want to know of all events, too.
  virtual void WatchAll() {}
  // All below is acknowledged.
  virtual uint64_t acknowledged() const = 0;
  // Where what the client passed on ends, which counts as given out.
  virtual uint64_t given() const = 0;
  // What came in, is not acknowledged, and is kept here, not with the socket.
  virtual size_t kept_bytes() const { return 0; }
  // Nothing more is passed on to the client, so that given() is final. Not when it ends in order.
  virtual void Seal() {}
  // It is about to end: all that is kept is the socket's, and nobody receives.
  virtual void GiveBack() = 0;
  // The socket has let go of it.
  virtual void End(std::optional<base::Error> why) = 0;
};

}  // namespace socketeer::net
