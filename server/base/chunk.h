// Bytes in memory that is shared: what travels from a kernel to a channel, and back, without being copied.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace socketeer::base {

// A stretch of bytes, and a share in the memory that they are in. The bytes never change, so chunks may be used on any
// thread; a copy is another share.
class Chunk {
 public:
  Chunk() = default;
  // `owner` keeps `bytes` where they are.
  Chunk(std::shared_ptr<const void> owner, std::string_view bytes) : owner_(std::move(owner)), bytes_(bytes) {}
  static Chunk Of(std::string bytes) {
    const auto owner = std::make_shared<const std::string>(std::move(bytes));
    return {owner, *owner};
  }

  const char* data() const { return bytes_.data(); }
  size_t size() const { return bytes_.size(); }
  bool empty() const { return bytes_.empty(); }
  std::string_view view() const { return bytes_; }

  // `count` of its bytes, or as many as there are, from `from` on. Precondition: from <= size().
  Chunk Sub(size_t from, size_t count = std::string_view::npos) const { return {owner_, bytes_.substr(from, count)}; }

  // `next` is added, if it lies behind in the same memory. False: it does not.
  bool Extend(const Chunk& next) {
    if (owner_ != next.owner_ || data() + size() != next.data()) return false;
    bytes_ = {data(), size() + next.size()};
    return true;
  }

 private:
  std::shared_ptr<const void> owner_;
  std::string_view bytes_;
};

}  // namespace socketeer::base
