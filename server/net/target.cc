#include "server/net/target.h"

#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <iterator>
#include <string_view>

namespace socketeer::net {
namespace {

std::string NameOf(int fd) { return "/proc/self/fd/" + std::to_string(fd); }

// Is that file at that path, for this process? Not if it was removed, or is of another mount namespace: then nobody can
// judge it by a path.
bool LeadsTo(Syscalls& syscalls, const std::string& path, const struct stat& file) {
  struct stat found {};
  return syscalls.FStatAt(AT_FDCWD, path.c_str(), &found, AT_SYMLINK_NOFOLLOW) == 0 && found.st_dev == file.st_dev &&
         found.st_ino == file.st_ino;
}

}  // namespace

const char* VerbOf(Act act) {
  constexpr const char* kSteps[] = {"open", "connect", "bind", "listen", "send", "receive", "setsockopt"};
  return kSteps[static_cast<size_t>(act)];
}

HeldPath& HeldPath::operator=(HeldPath&& other) noexcept {
  std::swap(syscalls_, other.syscalls_);
  std::swap(fd_, other.fd_);
  return *this;
}

HeldPath::~HeldPath() {
  const int number = errno;
  if (fd_ >= 0) syscalls_->Close(fd_);
  errno = number;
}

std::optional<HeldPath> HeldPath::Open(Syscalls& syscalls, const std::string& path, int flags) {
  const int fd = syscalls.Open(path.c_str(), O_PATH | O_CLOEXEC | flags);
  if (fd < 0) return std::nullopt;
  return HeldPath(syscalls, fd);
}

std::optional<std::string> HeldPath::RealPath() const {
  std::array<char, PATH_MAX> text;
  const ssize_t size = syscalls_->ReadLink(NameOf(fd_).c_str(), text.data(), text.size());
  if (size < 0) return std::nullopt;
  if (static_cast<size_t>(size) == text.size()) {
    errno = ENAMETOOLONG;
    return std::nullopt;
  }
  return std::string(text.data(), static_cast<size_t>(size));
}

bool NoWay::IsOfThePath() const {
  constexpr int kOfThePath[] = {EACCES, ELOOP, ENAMETOOLONG, ENOENT, ENOTDIR};
  return std::string_view(system_call) == "open" &&
         std::find(std::begin(kOfThePath), std::end(kOfThePath), number) != std::end(kOfThePath);
}

std::variant<Target, NoWay> Target::Follow(Syscalls& syscalls, const SocketAddress& address) {
  auto file = HeldPath::Open(syscalls, address.unix_name(), 0);
  if (!file) return NoWay{"open", errno};
  auto path = file->RealPath();
  if (!path) return NoWay{"readlink", errno};
  struct stat found {};
  if (syscalls.FStatAt(file->fd(), "", &found, AT_EMPTY_PATH) < 0) return NoWay{"fstatat", errno};
  auto named = SocketAddress::UnixPath(NameOf(file->fd()));
  if (!LeadsTo(syscalls, *path, found)) path->clear();
  Target target;
  target.place_ = {.address = address, .path = *std::move(path), .device = found.st_dev, .inode = found.st_ino};
  target.address_ = *std::move(named);
  target.file_ = *std::move(file);
  return target;
}

std::variant<NewPath, NoWay> NewPath::Follow(Syscalls& syscalls, const SocketAddress& address) {
  NewPath made;
  PathParts parts(address.unix_name());
  made.name_ = std::move(parts.name);
  auto held = HeldPath::Open(syscalls, parts.folder, O_DIRECTORY);
  if (!held) return NoWay{"open", errno};
  auto real = held->RealPath();
  if (!real) return NoWay{"readlink", errno};
  made.folder_ = *std::move(held);
  struct stat found {};
  if (syscalls.FStatAt(made.folder_.fd(), "", &found, AT_EMPTY_PATH) < 0) return NoWay{"fstatat", errno};
  made.folder_path_ = *real == "/" ? *real : *real + "/";
  made.place_ = {.address = address};
  if (LeadsTo(syscalls, *real, found)) made.place_.path = made.folder_path_ + made.name_;
  if (syscalls.FStatAt(made.folder_.fd(), made.name_.c_str(), &found, AT_SYMLINK_NOFOLLOW) == 0) {
    made.place_.device = found.st_dev;
    made.place_.inode = found.st_ino;
  }
  return made;
}

bool NewPath::Made(Syscalls& syscalls) const {
  struct stat found {};
  if (syscalls.FStatAt(folder_.fd(), name_.c_str(), &found, AT_SYMLINK_NOFOLLOW) < 0) return false;
  const bool same = found.st_dev == place_.device && found.st_ino == place_.inode;
  return S_ISSOCK(found.st_mode) && found.st_uid == geteuid() && !same;
}

SocketPath NewPath::ToRemove(Syscalls& syscalls) const {
  PathParts parts(folder_path_);
  parts.name = name_;
  return {syscalls, folder_, std::move(parts)};
}

}  // namespace socketeer::net
