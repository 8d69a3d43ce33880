// How a stream is attached to a socket.
#pragma once

#include <cstdint>
#include <optional>

#include "absl/time/time.h"
#include "socketeer/call_options.h"

namespace socketeer {

struct StreamOptions {
  // Of the first byte wanted: Stream::received() of an earlier stream, say. Unset: what was given to nobody.
  // OFFSET_OUT_OF_RANGE when it cannot be had.
  std::optional<uint64_t> receive_offset = std::nullopt;
  // Of the first byte that will be sent: below what the host's kernel has accepted, bytes are skipped; above it is
  // OFFSET_OUT_OF_RANGE. Unset: behind what it has accepted.
  std::optional<uint64_t> send_offset = std::nullopt;
  // Bytes that may wait here and not be consumed: 1 to Limits.max_retained_bytes_per_socket. 0: 262144.
  uint64_t receive_window = 0;
  // Bytes that may be sent ahead of what the host's kernel accepts; they are kept here until it does. The same range.
  uint64_t send_window = 0;
  // Ends a stream that is attached, and calls that wait on the socket; else either refuses this one.
  bool takeover = false;
  // How long a stream whose connection broke (one that fell silent counts as broken after 15 s) tries to get back
  // before it ends with ErrorKind::kUnreachable. The default outlasts a daemon's host that changes its network, and is
  // below the shortest lease that a session has by default (60 s). Zero: it ends when the connection breaks.
  // absl::InfiniteDuration(): it tries for ever.
  absl::Duration patience = absl::Seconds(30);
  // Ends the stream, whatever it does, with kCancelled. Not owned, outlives the stream; may be null.
  Cancellation* cancellation = nullptr;
};

}  // namespace socketeer
