// The path of a UNIX socket that we bound: removed when the socket closes, but only while it is still the file that
// bind(2) made, in the folder where that was. (gvisor-tap-vsock #681: a path removed without looking what it is.)
#pragma once

#include <sys/types.h>

#include <string>

#include "server/net/syscalls.h"

namespace socketeer::net {

class HeldPath;

// A path up to its last slash, or ".", and what comes behind.
struct PathParts {
  explicit PathParts(const std::string& path);
  std::string folder;
  std::string name;
};

class SocketPath {
 public:
  SocketPath() = default;
  // Right after a successful bind(2) to `path`.
  SocketPath(Syscalls& syscalls, const std::string& path);
  // The same when its folder, which is at `parts.folder`, was held before the bind.
  SocketPath(Syscalls& syscalls, const HeldPath& folder, PathParts parts);

  bool empty() const { return name_.empty(); }
  // Whoever changes links meanwhile makes it stay, and nothing else go.
  void Remove(Syscalls& syscalls);

 private:
  struct File {
    dev_t device = 0;
    ino_t inode = 0;
    friend bool operator==(const File&, const File&) = default;
  };
  static File FileAt(Syscalls& syscalls, int folder, const std::string& name, mode_t kind);
  void Remember(Syscalls& syscalls, int folder, PathParts parts);

  std::string folder_path_, name_;
  File folder_, file_;
};

}  // namespace socketeer::net
