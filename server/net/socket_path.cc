#include "server/net/socket_path.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <utility>

#include "server/net/target.h"

namespace socketeer::net {

PathParts::PathParts(const std::string& path) {
  const size_t slash = path.rfind('/');
  folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  name = slash == std::string::npos ? path : path.substr(slash + 1);
}

SocketPath::SocketPath(Syscalls& syscalls, const std::string& path) {
  PathParts parts(path);
  const auto folder = HeldPath::Open(syscalls, parts.folder, O_DIRECTORY);
  if (folder) Remember(syscalls, folder->fd(), std::move(parts));
}

SocketPath::SocketPath(Syscalls& syscalls, const HeldPath& folder, PathParts parts) {
  Remember(syscalls, folder.fd(), std::move(parts));
}

SocketPath::File SocketPath::FileAt(Syscalls& syscalls, int folder, const std::string& name, mode_t kind) {
  struct stat found {};
  if (syscalls.FStatAt(folder, name.c_str(), &found, AT_SYMLINK_NOFOLLOW) < 0) return {};
  if ((found.st_mode & S_IFMT) != kind) return {};
  return {.device = found.st_dev, .inode = found.st_ino};
}

void SocketPath::Remember(Syscalls& syscalls, int folder, PathParts parts) {
  folder_ = FileAt(syscalls, folder, ".", S_IFDIR);
  file_ = FileAt(syscalls, folder, parts.name, S_IFSOCK);
  if (folder_ == File{} || file_ == File{}) return;
  folder_path_ = std::move(parts.folder);
  name_ = std::move(parts.name);
}

void SocketPath::Remove(Syscalls& syscalls) {
  const std::string name = std::exchange(name_, "");
  if (name.empty()) return;
  const auto folder = HeldPath::Open(syscalls, folder_path_, O_DIRECTORY);
  if (!folder || FileAt(syscalls, folder->fd(), ".", S_IFDIR) != folder_) return;
  if (FileAt(syscalls, folder->fd(), name, S_IFSOCK) == file_) syscalls.UnlinkAt(folder->fd(), name.c_str());
}

}  // namespace socketeer::net
