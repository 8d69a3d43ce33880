// Bytes of a stream, between the Cords of the library's callers and the frames of proto/wire, shared and not copied.
// Private to the library.
#pragma once

#include <cstdint>

#include "absl/strings/cord.h"
#include "proto/wire/attach_frame.h"

namespace socketeer::internal {

// Pieces below this are copied: that costs less than to share them.
inline constexpr size_t kSharedPieceBytes = 512;

wire::DataFrame ToFrame(uint64_t offset, const absl::Cord& bytes);
absl::Cord ToCord(const wire::DataFrame& frame);

}  // namespace socketeer::internal
