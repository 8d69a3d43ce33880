// Frames of attach.proto by hand, so that payload is neither copied nor looked at.
#pragma once

#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "tests/bench/bulk_mover.h"

namespace socketeer::bench {

// Fields of the frames; of data and acknowledge both directions have the same numbers.
enum class Frame : uint8_t { kOpened = 1, kData = 2, kAcknowledge = 3, kShutdown = 4, kDetach = 6, kEndOfStream = 6 };

inline void PutVarint(std::string& to, uint64_t value) {
  for (; value >= 0x80; value >>= 7) to += static_cast<char>(value | 0x80);
  to += static_cast<char>(value);
}

inline size_t VarintSize(uint64_t value) { return value < 0x80 ? 1 : 1 + VarintSize(value >> 7); }

inline void PutTag(std::string& to, Frame field) { to += static_cast<char>((static_cast<int>(field) << 3) | 2); }

// With no payload: shutdown, detach.
inline grpc::ByteBuffer EmptyFrame(Frame field) {
  std::string bytes;
  PutTag(bytes, field);
  PutVarint(bytes, 0);
  const grpc::Slice slice(bytes);
  return {&slice, 1};
}

inline grpc::ByteBuffer AcknowledgeFrame(uint64_t offset) {
  std::string bytes;
  PutTag(bytes, Frame::kAcknowledge);
  PutVarint(bytes, 1 + VarintSize(offset));
  bytes += '\x08';
  PutVarint(bytes, offset);
  const grpc::Slice slice(bytes);
  return {&slice, 1};
}

inline grpc::ByteBuffer DataFrame(uint64_t offset, const grpc::Slice& payload) {
  std::string bytes;
  PutTag(bytes, Frame::kData);
  PutVarint(bytes, 2 + VarintSize(offset) + VarintSize(payload.size()) + payload.size());
  bytes += '\x08';
  PutVarint(bytes, offset);
  bytes += '\x12';
  PutVarint(bytes, payload.size());
  const grpc::Slice slices[] = {grpc::Slice(bytes), payload};
  return {slices, 2};
}

// What a frame that came says; of those without an offset it is 0.
struct Heard {
  Frame frame = Frame::kOpened;
  uint64_t offset = 0;
  uint64_t payload_bytes = 0;
};

class FrameReader {
 public:
  // The daemon writes fields in their order. A frame of no other form ends the program: it measures, it does not cope.
  static Heard Read(const grpc::ByteBuffer& buffer) {
    FrameReader reader(buffer);
    Heard heard{.frame = static_cast<Frame>(reader.Varint() >> 3)};
    const uint64_t size = reader.Varint();
    if (heard.frame > Frame::kEndOfStream) Fail("the daemon says: " + reader.Rest());
    if (heard.frame == Frame::kOpened) return heard;
    if (size > 0 && reader.Peek() == 0x08) {
      reader.Varint();
      heard.offset = reader.Varint();
    }
    if (heard.frame == Frame::kData && reader.Varint() == 0x12) heard.payload_bytes = reader.Varint();
    return heard;
  }

 private:
  // Only the beginning, which may be split over slices, is looked at.
  explicit FrameReader(const grpc::ByteBuffer& buffer) {
    std::vector<grpc::Slice> slices;
    if (!buffer.Dump(&slices).ok()) Fail("a frame cannot be read");
    for (const grpc::Slice& slice : slices) {
      const size_t count = std::min(slice.size(), sizeof(head_) - size_);
      std::memcpy(head_ + size_, slice.begin(), count);
      size_ += count;
    }
  }

  uint8_t Peek() const { return at_ < size_ ? head_[at_] : 0; }
  uint64_t Varint() {
    uint64_t value = 0;
    for (int shift = 0; at_ < size_ && shift < 64; shift += 7) {
      const uint64_t byte = head_[at_++];
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    Fail("a frame is not whole");
  }
  std::string Rest() const { return {head_ + at_, head_ + size_}; }

  uint8_t head_[256] = {};
  size_t size_ = 0, at_ = 0;
};

}  // namespace socketeer::bench
