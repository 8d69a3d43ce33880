#include "server/net/socket_path.h"

#include <sys/stat.h>

#include <utility>

namespace socketeer::net {

SocketPath::SocketPath(Syscalls& syscalls, std::string path) {
  struct stat found {};
  if (syscalls.LStat(path.c_str(), &found) < 0 || !S_ISSOCK(found.st_mode)) return;
  path_ = std::move(path);
  device_ = found.st_dev;
  inode_ = found.st_ino;
}

void SocketPath::Remove(Syscalls& syscalls) {
  if (path_.empty()) return;
  struct stat found {};
  const bool ours = syscalls.LStat(path_.c_str(), &found) == 0 && S_ISSOCK(found.st_mode) && found.st_dev == device_ &&
                    found.st_ino == inode_;
  if (ours) syscalls.Unlink(path_.c_str());
  path_.clear();
}

}  // namespace socketeer::net
