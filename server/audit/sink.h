// Where the lines of the audit go: a file, appended to, or the standard output.
//
// Of one thread. Writes whole lines: what a full disk left of one is cut back, or else finished before the next.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "server/base/fd.h"
#include "server/base/result.h"

namespace socketeer::audit {

// In place of a file's name: the standard output.
inline constexpr char kStandardOutput[] = "-";

class Sink {
 public:
  // A file is made with mode 0600. Errors are for the operator, one line: also for what is a symbolic link or no
  // file, what others may write, and what another daemon appends to.
  static base::Result<Sink> Open(const std::string& path);
  // A pipe, a terminal, or the like.
  static Sink Over(base::Fd fd) { return Sink(std::move(fd), false); }

  // `bytes`: how many of `lines`, which are whole, are done with, each a whole line too: all of them, or what a pipe
  // takes at once. `number`: an errno; EAGAIN: the reader had no room, for `patience`. The next call must begin with
  // the line that was not done.
  struct Written {
    size_t bytes = 0;
    int number = 0;
  };
  Written Write(std::string_view lines, std::chrono::milliseconds patience);
  // Goes on with what is at that path now; errors as Open(), which change nothing.
  base::Status Reopen(const std::string& path);

 private:
  Sink(base::Fd fd, bool is_file) : fd_(std::move(fd)), is_file_(is_file) {}
  int WritePiece(std::string_view piece, std::chrono::milliseconds patience, size_t* at);
  // Takes away what was written of a line, if the file still ends in that.
  void CutBack(std::string_view torn);

  base::Fd fd_;
  bool is_file_;
  bool ends_torn_ = false;  // a former daemon left half a line at the end
  size_t torn_ = 0;         // bytes of the next line that are written
};

}  // namespace socketeer::audit
