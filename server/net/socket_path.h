// The path of a UNIX socket that we bound: removed when the socket closes, but only while it is still the file that
// bind(2) made. (gvisor-tap-vsock #681: a path removed without looking what it is.)
#pragma once

#include <sys/types.h>

#include <string>

#include "server/net/syscalls.h"

namespace socketeer::net {

class SocketPath {
 public:
  SocketPath() = default;
  // Right after a successful bind(2) to `path`.
  SocketPath(Syscalls& syscalls, std::string path);

  bool empty() const { return path_.empty(); }
  void Remove(Syscalls& syscalls);

 private:
  std::string path_;
  dev_t device_ = 0;
  ino_t inode_ = 0;
};

}  // namespace socketeer::net
