#include "client/cli/nc_stdio.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

namespace socketeer::cli {
namespace {

// Below this, a copy costs less than a block that is held for it.
constexpr size_t kWorthABlock = 16 << 10;
constexpr size_t kMaxPieces = 64;  // of one writev(2)
constexpr char kReaderGone[] = "socketeer.cli/reader-gone";

// Waits until `fd` is ready for `events`, or has failed: true. False: `stop` was signalled.
bool AwaitReady(int fd, short events, const Wakeup& stop) {
  std::array<pollfd, 2> polled = {pollfd{.fd = fd, .events = events, .revents = 0},
                                  pollfd{.fd = stop.fd(), .events = POLLIN, .revents = 0}};
  while (poll(polled.data(), polled.size(), -1) < 0 && errno == EINTR) continue;
  return polled[1].revents == 0;
}

bool IsPassing(int error) { return error == EINTR || error == EAGAIN || error == EWOULDBLOCK; }

// The front of `bytes`, at most `max` of them.
size_t FillPieces(const absl::Cord& bytes, size_t max, std::array<iovec, kMaxPieces>& pieces) {
  size_t count = 0;
  for (const absl::string_view chunk : bytes.Chunks()) {
    if (count == pieces.size() || max == 0) break;
    const size_t size = std::min(chunk.size(), max);
    pieces[count++] = {.iov_base = const_cast<char*>(chunk.data()), .iov_len = size};
    max -= size;
  }
  return count;
}

}  // namespace

absl::StatusOr<NcInput::Block> NcInput::Read(const Wakeup& stop) {
  if (block_ == nullptr) block_ = std::make_unique_for_overwrite<char[]>(block_bytes_);
  while (true) {
    if (!AwaitReady(STDIN_FILENO, POLLIN, stop)) return Block{.bytes = {}, .stopped = true};
    const ssize_t count = read(STDIN_FILENO, block_.get(), block_bytes_);
    if (count > 0) return Block{.bytes = Take(static_cast<size_t>(count))};
    // EBADF: it was closed, or not for reading, when this program began.
    if (count == 0 || errno == EBADF) return Block{.bytes = {}, .end = true};
    if (!IsPassing(errno)) {
      return absl::InvalidArgumentError(std::string("cannot read standard input: ") + std::strerror(errno));
    }
  }
}

absl::Cord NcInput::Take(size_t size) {
  if (size < kWorthABlock) return absl::Cord(absl::string_view(block_.get(), size));
  char* const block = block_.release();
  return absl::MakeCordFromExternal(absl::string_view(block, size), [block] { delete[] block; });
}

NcOutput::NcOutput() {
  struct stat about = {};
  const mode_t mode = fstat(STDOUT_FILENO, &about) == 0 ? about.st_mode & S_IFMT : S_IFREG;
  if (mode == S_IFIFO) {
    kind_ = Kind::kPipe;
  } else if (mode == S_IFSOCK) {
    kind_ = Kind::kSocket;
  } else if (mode == S_IFCHR) {
    kind_ = isatty(STDOUT_FILENO) == 1 ? Kind::kTerminal : Kind::kDevice;
  } else {
    kind_ = Kind::kFile;
  }
}

absl::Status NcOutput::Write(absl::Cord bytes, const Wakeup& stop) const {
  while (!bytes.empty()) {
    if (!AwaitReady(STDOUT_FILENO, POLLOUT, stop)) return absl::CancelledError("stopped");
    const ssize_t written = WriteSome(bytes);
    if (written >= 0) {
      bytes.RemovePrefix(static_cast<size_t>(written));
    } else if (errno == EPIPE) {
      return ReaderGone();
    } else if (!IsPassing(errno)) {
      return absl::DataLossError(std::string("cannot write the output: ") + std::strerror(errno));
    }
  }
  return absl::OkStatus();
}

// One write that does not block, as far as that can be had without changing flags that other programs share.
ssize_t NcOutput::WriteSome(const absl::Cord& bytes) const {
  std::array<iovec, kMaxPieces> pieces;
  // A terminal, and an old kernel's pipe, that are ready take this much without a wait.
  const size_t max = kind_ == Kind::kTerminal ? PIPE_BUF : SSIZE_MAX;
  const size_t count = FillPieces(bytes, max, pieces);
  if (kind_ == Kind::kSocket) {
    const msghdr message = {.msg_name = nullptr,
                            .msg_namelen = 0,
                            .msg_iov = pieces.data(),
                            .msg_iovlen = count,
                            .msg_control = nullptr,
                            .msg_controllen = 0,
                            .msg_flags = 0};
    return sendmsg(STDOUT_FILENO, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
  }
  if (kind_ != Kind::kPipe) return writev(STDOUT_FILENO, pieces.data(), static_cast<int>(count));
  const ssize_t written = pwritev2(STDOUT_FILENO, pieces.data(), static_cast<int>(count), -1, RWF_NOWAIT);
  if (written >= 0 || errno != EOPNOTSUPP) return written;
  return writev(STDOUT_FILENO, pieces.data(), static_cast<int>(FillPieces(bytes, PIPE_BUF, pieces)));
}

void NcOutput::End() const {
  if (kind_ == Kind::kSocket) shutdown(STDOUT_FILENO, SHUT_WR);  // standard input may be the same one
  const int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
  if (nowhere < 0) return;
  dup2(nowhere, STDOUT_FILENO);
  close(nowhere);
}

absl::Status ReaderGone() {
  absl::Status status = absl::DataLossError("nobody reads the output");
  status.SetPayload(kReaderGone, absl::Cord());
  return status;
}

bool IsReaderGone(const absl::Status& status) { return status.GetPayload(kReaderGone).has_value(); }

void EndAsByBrokenPipe() {
  signal(SIGPIPE, SIG_DFL);
  raise(SIGPIPE);
  _exit(128 + SIGPIPE);
}

}  // namespace socketeer::cli
