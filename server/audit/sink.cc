#include "server/audit/sink.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <utility>

#include "server/base/printable.h"

namespace socketeer::audit {
namespace {

base::Error Unfit(const std::string& path, const std::string& why) {
  base::Error error;
  error.code = base::Code::kInvalidArgument;
  error.message = "audit " + base::Printable(path) + ": " + why;
  return error;
}

// Appended to, and read only where half a line is cut back. Nonblocking: or a FIFO would be waited for.
base::Result<base::Fd> OpenFile(const std::string& path, struct stat* found) {
  constexpr int kFlags = O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
  base::Fd fd(open(path.c_str(), kFlags, 0600));
  if (fd.get() < 0 && errno == ELOOP) return Unfit(path, "is a symbolic link");
  if (fd.get() < 0 || fstat(fd.get(), found) < 0) return Unfit(path, std::strerror(errno));
  if (!S_ISREG(found->st_mode)) return Unfit(path, "is no regular file; \"-\" is the standard output");
  if (found->st_uid != geteuid() && found->st_uid != 0) return Unfit(path, "belongs to another user");
  if ((found->st_mode & (S_IWGRP | S_IWOTH)) != 0) return Unfit(path, "others may write it: chmod go-w");
  return fd;
}

bool EndsTorn(int fd, off_t size) {
  char last = '\n';
  return size > 0 && pread(fd, &last, 1, size - 1) == 1 && last != '\n';
}

}  // namespace

base::Result<Sink> Sink::Open(const std::string& path) {
  if (path == kStandardOutput) {
    base::Fd fd(fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0));
    if (fd.get() < 0) return Unfit(path, std::strerror(errno));
    return Over(std::move(fd));
  }
  struct stat found {};
  auto fd = OpenFile(path, &found);
  if (!fd.ok()) return std::move(fd).error();
  if (flock(fd->get(), LOCK_EX | LOCK_NB) < 0) return Unfit(path, "another daemon writes there");
  Sink sink(*std::move(fd), true);
  sink.ends_torn_ = EndsTorn(sink.fd_.get(), found.st_size);
  return sink;
}

base::Status Sink::Reopen(const std::string& path) {
  if (!is_file_) return base::Ok();
  struct stat now {
  }, ours{};
  auto fd = OpenFile(path, &now);
  if (!fd.ok()) return std::move(fd).error();
  const bool same = fstat(fd_.get(), &ours) == 0 && ours.st_dev == now.st_dev && ours.st_ino == now.st_ino;
  if (same) return base::Ok();
  fd->reset();
  auto opened = Open(path);
  if (!opened.ok()) return std::move(opened).error();
  *this = *std::move(opened);  // the line that is torn begins anew
  return base::Ok();
}

Sink::Written Sink::Write(std::string_view lines, std::chrono::milliseconds patience) {
  Written written;
  if (ends_torn_) {
    size_t at = 0;
    written.number = WritePiece("\n", patience, &at);
    if (written.number != 0) return written;
    ends_torn_ = false;
  }
  size_t at = torn_;
  do {
    written.number = WritePiece(lines.substr(at), patience, &at);
  } while (is_file_ && at < lines.size() && written.number == 0);
  const size_t end = lines.substr(0, at).rfind('\n');
  written.bytes = end == std::string_view::npos ? 0 : end + 1;
  torn_ = at - written.bytes;
  if (written.number != 0 && torn_ > 0) CutBack(lines.substr(written.bytes, torn_));
  return written;
}

int Sink::WritePiece(std::string_view piece, std::chrono::milliseconds patience, size_t* at) {
  if (!is_file_) {
    // So much never blocks when poll(2) says that there is room. The description may be shared: it is not ours to make
    // nonblocking.
    piece = piece.substr(0, PIPE_BUF);
    pollfd ready{.fd = fd_.get(), .events = POLLOUT, .revents = 0};
    const int count = poll(&ready, 1, static_cast<int>(patience.count()));
    if (count == 0) return EAGAIN;
    if (count < 0) return errno == EINTR ? 0 : errno;
  }
  const ssize_t size = write(fd_.get(), piece.data(), piece.size());
  if (size < 0) return errno == EINTR ? 0 : errno;
  *at += static_cast<size_t>(size);
  return size == 0 ? EIO : 0;
}

void Sink::CutBack(std::string_view torn) {
  struct stat found {};
  if (!is_file_ || fstat(fd_.get(), &found) < 0) return;
  const off_t start = found.st_size - static_cast<off_t>(torn.size());
  std::string there(torn.size(), '\0');
  if (start < 0 || pread(fd_.get(), there.data(), there.size(), start) != static_cast<ssize_t>(torn.size())) return;
  if (there != torn || ftruncate(fd_.get(), start) < 0) return;
  torn_ = 0;
}

}  // namespace socketeer::audit
