#include "server/net/chunk_queue.h"

#include <algorithm>
#include <string_view>
#include <utility>

namespace socketeer::net {

void ChunkQueue::Push(base::Chunk chunk) {
  size_ += chunk.size();
  if (chunks_.empty() || !chunks_.back().Extend(chunk)) chunks_.push_back(std::move(chunk));
}

void ChunkQueue::Drop(size_t count) {
  size_ -= count;
  while (count > 0 && count >= chunks_.front().size()) {
    count -= chunks_.front().size();
    chunks_.pop_front();
  }
  if (count > 0) chunks_.front() = chunks_.front().Sub(count);
}

base::Chunk ChunkQueue::At(size_t from, size_t most) const {
  // From the back: that is where whoever goes through a queue mostly is.
  size_t begin = size_;
  auto chunk = chunks_.end();
  do {
    --chunk;
    begin -= chunk->size();
  } while (begin > from);
  return chunk->Sub(from - begin, most);
}

size_t ChunkQueue::Parts(std::span<iovec> parts, size_t most) const {
  size_t used = 0;
  for (auto chunk = chunks_.begin(); chunk != chunks_.end() && used < parts.size() && most > 0; ++chunk) {
    const size_t size = std::min(most, chunk->size());
    parts[used++] = {.iov_base = const_cast<char*>(chunk->data()), .iov_len = size};
    most -= size;
  }
  return used;
}

std::string ChunkQueue::Copy() const {
  std::string bytes;
  bytes.reserve(size_);
  for (const base::Chunk& chunk : chunks_) bytes.append(chunk.view());
  return bytes;
}

std::span<char> ChunkBuffer::Room(size_t size) {
  if (size_ - used_ < size) {
    size_ = std::max(size, kLeast);
    memory_ = std::make_shared_for_overwrite<char[]>(size_);
    used_ = 0;
  }
  return {memory_.get() + used_, size_ - used_};
}

base::Chunk ChunkBuffer::Filled(size_t count) {
  base::Chunk chunk(memory_, std::string_view(memory_.get() + used_, count));
  used_ += count;
  return chunk;
}

}  // namespace socketeer::net
