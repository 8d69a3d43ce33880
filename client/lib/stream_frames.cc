#include "client/lib/stream_frames.h"

#include <memory>

namespace socketeer::internal {
namespace {

void DropHolder(void* holder) { delete static_cast<absl::Cord*>(holder); }

grpc::Slice ToSlice(const absl::Cord& holds, absl::string_view piece) {
  if (piece.size() < kSharedPieceBytes) return grpc::Slice(piece.data(), piece.size());
  auto holder = std::make_unique<absl::Cord>(holds);  // pieces of this size do not lie in the Cord object itself
  return grpc::Slice(const_cast<char*>(piece.data()), piece.size(), &DropHolder, holder.release());
}

}  // namespace

wire::DataFrame ToFrame(uint64_t offset, const absl::Cord& bytes) {
  wire::DataFrame frame{.offset = offset};
  for (const absl::string_view piece : bytes.Chunks()) frame.bytes.push_back(ToSlice(bytes, piece));
  return frame;
}

absl::Cord ToCord(const wire::DataFrame& frame) {
  absl::Cord bytes;
  for (const grpc::Slice& slice : frame.bytes) {
    const absl::string_view piece(reinterpret_cast<const char*>(slice.begin()), slice.size());
    if (piece.size() < kSharedPieceBytes) {
      bytes.Append(piece);
    } else {
      bytes.Append(absl::MakeCordFromExternal(piece, [slice] {}));
    }
  }
  return bytes;
}

}  // namespace socketeer::internal
