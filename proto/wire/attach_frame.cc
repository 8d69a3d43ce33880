#include "proto/wire/attach_frame.h"

#include <algorithm>
#include <array>

namespace socketeer::wire {
namespace {

// https://protobuf.dev/programming-guides/encoding: a tag is the field's number and how its value is written.
constexpr uint8_t Tag(int field, int type) { return static_cast<uint8_t>(field << 3 | type); }
constexpr int kVarint = 0;
constexpr int kLengthDelimited = 2;
constexpr uint8_t kDataTag = Tag(v1::AttachSocketRequest::kDataFieldNumber, kLengthDelimited);
constexpr uint8_t kOffsetTag = Tag(v1::AttachData::kOffsetFieldNumber, kVarint);
constexpr uint8_t kBytesTag = Tag(v1::AttachData::kDataFieldNumber, kLengthDelimited);
static_assert(int{v1::AttachSocketRequest::kDataFieldNumber} == int{v1::AttachSocketResponse::kDataFieldNumber});

constexpr size_t kMaxVarint = 10;
// Three tags, two lengths and an offset; the bytes follow.
constexpr size_t kMaxHeader = 3 + 3 * kMaxVarint;

// Reads slices one behind the other.
class Cursor {
 public:
  explicit Cursor(const std::vector<grpc::Slice>& slices) : slices_(slices) {
    for (const grpc::Slice& slice : slices) left_ += slice.size();
  }

  uint64_t left() const { return left_; }

  std::optional<uint8_t> Byte() {
    if (left_ == 0) return std::nullopt;
    while (at_ == slices_[index_].size()) Next();
    --left_;
    return slices_[index_].begin()[at_++];
  }

  // Nullopt also for one that does not fit into 64 bits.
  std::optional<uint64_t> Varint() {
    uint64_t value = 0;
    for (size_t i = 0; i < kMaxVarint; ++i) {
      const auto byte = Byte();
      if (!byte || (i == kMaxVarint - 1 && *byte > 1)) return std::nullopt;
      value |= static_cast<uint64_t>(*byte & 0x7f) << (7 * i);
      if ((*byte & 0x80) == 0) return value;
    }
    return std::nullopt;
  }

  // The next `count` bytes. Precondition: count <= left().
  std::vector<grpc::Slice> Take(uint64_t count) {
    std::vector<grpc::Slice> taken;
    left_ -= count;
    while (count > 0) {
      const grpc::Slice& slice = slices_[index_];
      const size_t part = std::min<uint64_t>(count, slice.size() - at_);
      if (part > 0) taken.push_back(slice.sub(at_, at_ + part));
      at_ += part;
      count -= part;
      if (count > 0) Next();
    }
    return taken;
  }

 private:
  void Next() {
    ++index_;
    at_ = 0;
  }

  const std::vector<grpc::Slice>& slices_;
  size_t index_ = 0;
  size_t at_ = 0;  // in slices_[index_]
  uint64_t left_ = 0;
};

std::optional<DataFrame> ParseFields(Cursor cursor) {
  if (cursor.Byte() != kDataTag) return std::nullopt;
  if (const auto size = cursor.Varint(); size != cursor.left()) return std::nullopt;
  DataFrame frame;
  bool has_offset = false, has_bytes = false;
  while (cursor.left() > 0) {
    const auto tag = cursor.Byte();
    const auto value = cursor.Varint();
    if (!value) return std::nullopt;
    if (tag == kOffsetTag && !has_offset) {
      has_offset = true;
      frame.offset = *value;
    } else if (tag == kBytesTag && !has_bytes && *value <= cursor.left()) {
      has_bytes = true;
      frame.bytes = cursor.Take(*value);
    } else {
      return std::nullopt;
    }
  }
  return frame;
}

size_t VarintSize(uint64_t value) {
  size_t size = 1;
  while (value >>= 7) ++size;
  return size;
}

// What goes in front of the bytes.
class Header {
 public:
  void Byte(uint8_t byte) { bytes_[size_++] = byte; }
  void Varint(uint64_t value) {
    while (value >= 0x80) {
      Byte(static_cast<uint8_t>(value | 0x80));
      value >>= 7;
    }
    Byte(static_cast<uint8_t>(value));
  }
  grpc::Slice slice() const { return {bytes_.data(), size_}; }

 private:
  std::array<uint8_t, kMaxHeader> bytes_;
  size_t size_ = 0;
};

}  // namespace

size_t DataFrame::size() const {
  size_t size = 0;
  for (const grpc::Slice& slice : bytes) size += slice.size();
  return size;
}

std::optional<DataFrame> ParsePlainData(const grpc::ByteBuffer& bytes) {
  std::vector<grpc::Slice> slices;
  if (!bytes.Valid() || !bytes.Dump(&slices).ok()) return std::nullopt;
  return ParseFields(Cursor(slices));
}

grpc::ByteBuffer SerializeData(const DataFrame& data) {
  const uint64_t size = data.size();
  const size_t offset_size = data.offset == 0 ? 0 : 1 + VarintSize(data.offset);  // a default is not written
  const size_t bytes_size = size == 0 ? 0 : 1 + VarintSize(size) + size;
  Header header;
  header.Byte(kDataTag);
  header.Varint(offset_size + bytes_size);
  if (offset_size > 0) {
    header.Byte(kOffsetTag);
    header.Varint(data.offset);
  }
  if (bytes_size > 0) {
    header.Byte(kBytesTag);
    header.Varint(size);
  }
  std::vector<grpc::Slice> slices;
  slices.reserve(1 + data.bytes.size());
  slices.push_back(header.slice());
  slices.insert(slices.end(), data.bytes.begin(), data.bytes.end());
  return {slices.data(), slices.size()};
}

}  // namespace socketeer::wire
