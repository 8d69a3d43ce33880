// What a caller may do with HTTP/2 itself, below all calls: gRPC (1.51) puts no bound to some of it.
//
// A block of headers may go on over CONTINUATION frames for ever, and is kept; a string in it that does not end is
// copied again with each frame. Streams that are opened and reset cost more than they cost the caller, and so do
// frames that want an answer. One connection kept all others waiting for 40 s and more so, or took 5 GiB.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>

namespace socketeer::rpc {

// One block of headers, compressed. gRPC refuses more than 8 KiB by an answer; what is far beyond gets none.
inline constexpr size_t kMaxHeaderBlockBytes = 64 << 10;
inline constexpr int kMaxHeaderBlockFrames = 16;
// All of a connection that has not acknowledged our settings yet: until then gRPC does not hold it to them, neither to
// kMaxStreams nor to the 8 KiB of headers that a byte of these may stand for. Hundreds of common calls.
inline constexpr size_t kMaxUnsettledHeaderBytes = 128 << 10;
// Streams of one connection that may be open at once. The longest queues of both directions of two sockets.
inline constexpr int kMaxStreams = 4'096;
// Frames that carry nothing of a call (see IsIdle): all that may be open may be reset at once, and then so many a
// second; resets, which come with each deadline that is over, twice as many. A PING for each of our writes is free, up
// to a few: gRPC in Go and Java measures the way with one for each answer.
inline constexpr int kIdleFramesAtOnce = kMaxStreams + 1'024;
inline constexpr int kIdleFramesPerSecond = 1'000;
inline constexpr int kMaxFreePings = 16;
// A block that gRPC will refuse, which costs it as much as many of those.
inline constexpr size_t kLargeBlockBytes = 8 << 10;
inline constexpr int kLargeBlockCost = 16;

// Reads along with one connection, what the client says. One thread at a time.
class FrameGuard {
 public:
  using Time = std::chrono::steady_clock::time_point;

  // What came, in order, before gRPC sees it. From where it goes too far on, all is overwritten with what is no HTTP/2:
  // gRPC then ends the connection at the next frame.
  void Look(std::span<uint8_t> bytes, Time now);

  // gRPC has written: its settings come first. Before that nobody can acknowledge them, and whoever does so is refused:
  // gRPC would take it for leave to hold him to none.
  void Written() {
    written_ = true;
    free_pings_ = std::min(free_pings_ + 1, kMaxFreePings);
  }

  bool refused() const { return refused_; }

 private:
  enum Type : uint8_t;

  // Precondition: header_ is whole. False: too far.
  bool Begin(Time now);
  bool BeginHeaders(Type type, size_t size);
  bool PayIdle(double frames, Time now);
  static bool IsIdle(Type type, uint8_t flags, size_t size);

  size_t preface_left_ = 24;  // "PRI * HTTP/2.0 ...": gRPC looks at it itself
  std::array<uint8_t, 9> header_{};
  size_t header_size_ = 0;
  size_t payload_left_ = 0;
  size_t block_bytes_ = 0;  // of the block of headers that is open, or was last
  int block_frames_ = 0;
  bool written_ = false;
  bool settled_ = false;  // it has acknowledged our settings
  size_t unsettled_bytes_ = 0;
  int free_pings_ = 0;
  double idle_frames_ = 0;  // as of idle_since_
  Time idle_since_{};
  bool refused_ = false;
};

}  // namespace socketeer::rpc
