// A file descriptor that closes itself: for epoll, eventfd, files, pipes. The sockets of callers
// are closed through net::Syscalls instead, where their errors count.
#pragma once

#include <unistd.h>

#include <utility>

namespace socketeer::base {

// Owns a descriptor, or none (-1). Move-only; not thread-safe.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(other.release()) {}
  Fd& operator=(Fd&& other) noexcept {
    reset(other.release());
    return *this;
  }
  ~Fd() { reset(); }

  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }

  // Gives the descriptor away; it stays open.
  [[nodiscard]] int release() { return std::exchange(fd_, -1); }

  // Closes the present descriptor, if any, and owns `fd`. Never retried: on Linux a descriptor is
  // gone after close(2), whatever it answers, and the number may be another thread's already.
  void reset(int fd = -1) {
    const int old = std::exchange(fd_, fd);
    if (old >= 0) ::close(old);
  }

 private:
  int fd_ = -1;
};

}  // namespace socketeer::base
