// Standard input and output of `nc`: whole blocks, and waits that another thread can end.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <memory>

#include "absl/status/statusor.h"
#include "absl/strings/cord.h"
#include "client/cli/wakeup.h"

namespace socketeer::cli {

// Standard input in blocks. For one thread.
class NcInput {
 public:
  // The most that one Read returns.
  explicit NcInput(size_t block_bytes) : block_bytes_(block_bytes) {}

  struct Block {
    absl::Cord bytes;      // what one read(2) gave
    bool end = false;      // nothing more comes
    bool stopped = false;  // `stop` was signalled before there was anything to read
  };
  // Waits for something to read. Large blocks go out as they were read, not copied. INVALID_ARGUMENT when it cannot be
  // read.
  absl::StatusOr<Block> Read(const Wakeup& stop);

 private:
  absl::Cord Take(size_t size);

  size_t block_bytes_;
  std::unique_ptr<char[]> block_;  // null: to be made anew
};

// Standard output. For one thread.
class NcOutput {
 public:
  NcOutput();

  // Writes everything, with back-pressure, until `stop` is signalled: CANCELLED. DATA_LOSS when it cannot be written;
  // ReaderGone when nobody reads it any more.
  absl::Status Write(absl::Cord bytes, const Wakeup& stop) const;
  // The end: who reads it is told, though this program goes on. What is written later goes nowhere.
  void End() const;

 private:
  enum class Kind { kFile, kDevice, kTerminal, kPipe, kSocket };

  ssize_t WriteSome(const absl::Cord& bytes) const;

  Kind kind_;
};

// Nobody reads standard output: what ends a program in silence.
absl::Status ReaderGone();
bool IsReaderGone(const absl::Status& status);
// Ends the process as a write to a broken pipe does, by SIGPIPE.
[[noreturn]] void EndAsByBrokenPipe();

}  // namespace socketeer::cli
