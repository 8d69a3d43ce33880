#include "server/rpc/frame_guard.h"

#include <algorithm>

namespace socketeer::rpc {

// RFC 9113, 6.
enum FrameGuard::Type : uint8_t {
  kData = 0,
  kHeaders = 1,
  kReset = 3,
  kSettings = 4,
  kPing = 6,
  kWindowUpdate = 8,
  kContinuation = 9,
};

namespace {

constexpr uint8_t kAck = 1, kEndStream = 1;
// As a frame's header: a size that no frame may have. As headers: a number without end.
constexpr uint8_t kNoHttp2 = 0xff;

}  // namespace

void FrameGuard::Look(std::span<uint8_t> bytes, Time now) {
  while (!bytes.empty() && !refused_) {
    if (size_t& left = preface_left_ > 0 ? preface_left_ : payload_left_; left > 0) {
      const size_t skipped = std::min(left, bytes.size());
      left -= skipped;
      bytes = bytes.subspan(skipped);
      continue;
    }
    const size_t taken = std::min(header_.size() - header_size_, bytes.size());
    std::copy_n(bytes.begin(), taken, header_.begin() + static_cast<std::ptrdiff_t>(header_size_));
    header_size_ += taken;
    if (header_size_ == header_.size()) {
      header_size_ = 0;
      if (!Begin(now)) {
        refused_ = true;
        break;
      }
    }
    bytes = bytes.subspan(taken);
  }
  if (refused_) std::ranges::fill(bytes, kNoHttp2);
}

bool FrameGuard::Begin(Time now) {
  const size_t size = size_t{header_[0]} << 16 | size_t{header_[1]} << 8 | header_[2];
  const auto type = static_cast<Type>(header_[3]);
  const uint8_t flags = header_[4];
  payload_left_ = size;
  if (type == kSettings && (flags & kAck) != 0) {
    if (!written_) return false;
    settled_ = true;
  }
  if (type == kHeaders || type == kContinuation) {
    const bool was_large = type == kContinuation && block_bytes_ > kLargeBlockBytes;
    if (!BeginHeaders(type, size)) return false;
    if (!was_large && block_bytes_ > kLargeBlockBytes && !PayIdle(kLargeBlockCost, now)) return false;
  }
  if (type == kPing && (flags & kAck) == 0 && free_pings_ > 0) {
    --free_pings_;
    return true;
  }
  return !IsIdle(type, flags, size) || PayIdle(type == kReset ? 0.5 : 1, now);
}

bool FrameGuard::BeginHeaders(Type type, size_t size) {
  if (type == kHeaders) {
    block_bytes_ = 0;
    block_frames_ = 0;
  }
  block_bytes_ += size;
  if (!settled_) unsettled_bytes_ += size;
  if (unsettled_bytes_ > kMaxUnsettledHeaderBytes) return false;
  return block_bytes_ <= kMaxHeaderBlockBytes && ++block_frames_ <= kMaxHeaderBlockFrames;
}

bool FrameGuard::IsIdle(Type type, uint8_t flags, size_t size) {
  if (type == kData) return size == 0 && (flags & kEndStream) == 0;
  return type != kHeaders && type != kWindowUpdate;
}

bool FrameGuard::PayIdle(double frames, Time now) {
  const double seconds = std::chrono::duration<double>(now - idle_since_).count();
  idle_since_ = now;
  idle_frames_ = std::max(0.0, idle_frames_ - seconds * kIdleFramesPerSecond) + frames;
  return idle_frames_ <= kIdleFramesAtOnce;
}

}  // namespace socketeer::rpc
