#include "server/net/chunk_queue.h"

#include <algorithm>
#include <string_view>
#include <utility>

namespace socketeer::net {

void ChunkQueue::Push(base::Chunk chunk) {
  size_ += chunk.size();
  const size_t added = chunk.size();
  if (!pieces_.empty() && pieces_.back().chunk.Extend(chunk)) {
    pieces_.back().whole += added;
  } else {
    pieces_.push_back({.chunk = std::move(chunk), .whole = added});
  }
}

void ChunkQueue::Drop(size_t count) {
  size_ -= count;
  while (count > 0 && count >= pieces_.front().chunk.size()) {
    count -= pieces_.front().chunk.size();
    pieces_.pop_front();
  }
  if (count > 0) pieces_.front().chunk = pieces_.front().chunk.Sub(count);
}

void ChunkQueue::Compact() {
  if (pieces_.empty()) return;
  Piece& piece = pieces_.front();
  if (piece.chunk.size() >= piece.whole / 4) return;
  piece.chunk = base::Chunk::Of(std::string(piece.chunk.view()));
  piece.whole = piece.chunk.size();
}

void ChunkQueue::Gather() {
  const auto first = std::find_if(pieces_.begin(), pieces_.end(), [](const Piece& piece) { return !piece.gathered; });
  size_t size = 0;
  for (auto piece = first; piece != pieces_.end(); ++piece) size += piece->chunk.size();
  if (size == 0) return;
  std::string bytes;
  bytes.reserve(size);
  for (auto piece = first; piece != pieces_.end(); ++piece) bytes.append(piece->chunk.view());
  pieces_.erase(first, pieces_.end());
  pieces_.push_back({.chunk = base::Chunk::Of(std::move(bytes)), .whole = size, .gathered = true});
}

base::Chunk ChunkQueue::At(size_t from, size_t most) const {
  // From the back: that is where whoever goes through a queue mostly is.
  size_t begin = size_;
  auto piece = pieces_.end();
  do {
    --piece;
    begin -= piece->chunk.size();
  } while (begin > from);
  return piece->chunk.Sub(from - begin, most);
}

size_t ChunkQueue::Parts(std::span<iovec> parts, size_t most) const {
  size_t used = 0;
  for (auto piece = pieces_.begin(); piece != pieces_.end() && used < parts.size() && most > 0; ++piece) {
    const size_t size = std::min(most, piece->chunk.size());
    parts[used++] = {.iov_base = const_cast<char*>(piece->chunk.data()), .iov_len = size};
    most -= size;
  }
  return used;
}

std::string ChunkQueue::Copy() const {
  std::string bytes;
  bytes.reserve(size_);
  for (const Piece& piece : pieces_) bytes.append(piece.chunk.view());
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
