// What both ends of a channel tell HTTP/2.
#pragma once

namespace socketeer::wire {

// How far a stream's sender may be ahead of its reader: GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, with
// GRPC_ARG_HTTP2_BDP_PROBE off, which would change it. More than twice the common window of an attached stream and a
// frame: our own windows are to stop it, never HTTP/2's. gRPC (1.51) may keep an update of that back until it has
// something else to say; the frame that waits for it stands in the way of the acknowledgement which the other side
// waits for, and both wait for the next ping (seen: 10 s, in one of six transfers both ways).
inline constexpr int kStreamLookaheadBytes = 1 << 20;

}  // namespace socketeer::wire
