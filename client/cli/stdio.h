// Standard input and output, byte for byte.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace socketeer::cli {

// DATA_LOSS when the bytes cannot be written. A reader that is gone ends the process by SIGPIPE.
absl::Status WriteAll(int fd, std::string_view bytes);

// From now on the process ends by SIGPIPE as soon as nobody can read standard output any more, even if it has nothing
// to write: `socketeer watch | head -n 1`. Call it once.
void EndWithReader();

// A descriptor for reading; closes what it opened itself.
class Input {
 public:
  static Input Standard();
  // INVALID_ARGUMENT when `path` cannot be opened.
  static absl::StatusOr<Input> File(const std::string& path);

  Input(Input&& other) noexcept;
  Input& operator=(Input&&) = delete;
  ~Input();

  // What one read(2) gives, at most `max` bytes; empty at the end. CANCELLED after a signal.
  absl::StatusOr<std::string> Read(size_t max) const;
  // Everything. INVALID_ARGUMENT when it is more than `max`.
  absl::StatusOr<std::string> ReadAll(size_t max, const std::string& what) const;

 private:
  Input(int fd, std::string name, bool owned);

  int fd_;
  std::string name_;
  bool owned_;
};

}  // namespace socketeer::cli
