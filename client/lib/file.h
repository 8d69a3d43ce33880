// A file of the caller's, read whole. Private to the library.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace socketeer::internal {

// What others than its owner, who must be this user or root, may do with it.
enum class Guard {
  kNone,     // anything
  kTrusted,  // not write it
  kPrivate,  // not read it either
};

// INVALID_ARGUMENT, which begins with its path: it cannot be read, is longer than `most` bytes, or not guarded so.
absl::StatusOr<std::string> ReadFile(const std::string& path, Guard guard, size_t most);

// "PATH: why".
absl::Status Unfit(const std::string& path, std::string_view why);

}  // namespace socketeer::internal
