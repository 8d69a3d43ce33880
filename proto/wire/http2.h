// What both ends of a channel tell HTTP/2.
#pragma once

namespace socketeer::wire {

// How far a stream's sender may be ahead of its reader, for GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES. More than twice the
// common window of an attached stream and a frame: its own windows are to stop it, never HTTP/2's. gRPC (1.51) may keep
// an update of that back until it has something else to say, and a frame that waits for it stands in the way of the
// acknowledgement which the other side waits for.
inline constexpr int kStreamLookaheadBytes = 1 << 20;

}  // namespace socketeer::wire
