// Bytes of a stream in chunks: they come in at the back, and leave at the front. On one thread.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <deque>
#include <memory>
#include <span>
#include <string>

#include "server/base/chunk.h"

namespace socketeer::net {

class ChunkQueue {
 public:
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  void Push(base::Chunk chunk);
  // Precondition: count <= size().
  void Drop(size_t count);
  // Copies the first chunk if there is less than a quarter of it left, which would keep all of its memory.
  void Compact();
  // Copies all that was pushed since the last time into memory of its own: what it lay in, which may be much larger, is
  // free again. Again and again, no byte is copied twice.
  void Gather();
  // What lies together from the byte number `from` on, at most `most`. Precondition: from < size().
  base::Chunk At(size_t from, size_t most) const;
  // The first `most` bytes, or as many as there are parts for. Returns how many parts are used.
  size_t Parts(std::span<iovec> parts, size_t most) const;
  std::string Copy() const;

 private:
  struct Piece {
    base::Chunk chunk;
    size_t whole;  // what it was before a part was dropped
    bool gathered = false;
  };

  std::deque<Piece> pieces_;
  size_t size_ = 0;
};

// Memory to fill. What comes in small pieces shares one stretch of it, or its bookkeeping would outgrow it.
class ChunkBuffer {
 public:
  // The least that is allocated.
  static constexpr size_t kLeast = 4'096;

  // Room for `size` bytes or more, to be filled before the next call.
  std::span<char> Room(size_t size);
  // The first `count` of it were.
  base::Chunk Filled(size_t count);
  // The memory is its chunks' alone.
  void Forget() { *this = ChunkBuffer(); }

 private:
  std::shared_ptr<char[]> memory_;
  size_t size_ = 0;
  size_t used_ = 0;
};

}  // namespace socketeer::net
