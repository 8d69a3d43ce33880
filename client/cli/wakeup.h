// A descriptor that becomes readable: to end a poll(2) from another thread.
#pragma once

#include <sys/eventfd.h>
#include <unistd.h>

namespace socketeer::cli {

// Thread-safe. Outlives every poll of its descriptor.
class Wakeup {
 public:
  // Without a descriptor left the process aborts: there is no other way to wake anybody.
  Wakeup();
  Wakeup(const Wakeup&) = delete;
  Wakeup& operator=(const Wakeup&) = delete;
  ~Wakeup() { close(fd_); }

  // Readable from Signal on, until Clear.
  int fd() const { return fd_; }
  void Signal() const { (void)eventfd_write(fd_, 1); }
  void Clear() const {
    eventfd_t count = 0;
    (void)eventfd_read(fd_, &count);
  }

 private:
  int fd_;
};

}  // namespace socketeer::cli
