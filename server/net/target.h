// UNIX paths, followed once: what a policy judged is what the kernel is given, whatever the path's links lead to by
// then.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "server/net/permit.h"
#include "server/net/socket_path.h"
#include "server/net/syscalls.h"

namespace socketeer::net {

// A descriptor of a file or a folder, as a place (O_PATH): it can be neither read nor written.
class HeldPath {
 public:
  HeldPath() = default;
  HeldPath(HeldPath&& other) noexcept : syscalls_(other.syscalls_), fd_(std::exchange(other.fd_, -1)) {}
  HeldPath& operator=(HeldPath&& other) noexcept;
  ~HeldPath();
  // Nullopt and errno, of "open". `syscalls` must outlive it.
  static std::optional<HeldPath> Open(Syscalls& syscalls, const std::string& path, int flags);

  int fd() const { return fd_; }
  // Where it is: absolute, without links. Nullopt and errno.
  std::optional<std::string> RealPath() const;

 private:
  HeldPath(Syscalls& syscalls, int fd) : syscalls_(&syscalls), fd_(fd) {}
  Syscalls* syscalls_ = nullptr;
  int fd_ = -1;
};

// A path could not be followed.
struct NoWay {
  const char* system_call;
  int number;

  // Would connect(2) and bind(2) themselves have met this on their way along the path?
  bool IsOfThePath() const;
};

// The socket at the end of a path, for connect(2) and sendto(2).
class Target {
 public:
  // An error: what failed. Precondition: a UNIX path.
  static std::variant<Target, NoWay> Follow(Syscalls& syscalls, const SocketAddress& address);

  const Place& place() const { return place_; }
  // For the kernel: this very file. Good as long as the Target is there.
  const SocketAddress& address() const { return address_; }

 private:
  HeldPath file_;
  Place place_;
  SocketAddress address_;
};

// Where bind(2) is to make a socket. (To name the folder by its descriptor would not do: peers are told the path.)
class NewPath {
 public:
  // As Target::Follow().
  static std::variant<NewPath, NoWay> Follow(Syscalls& syscalls, const SocketAddress& address);

  // `device` and `inode`: of what is in its way.
  const Place& place() const { return place_; }
  // After bind(2): is it there that a socket was made? One that the daemon made elsewhere, and that somebody moved
  // there in that very moment, seems so, too.
  bool Made(Syscalls& syscalls) const;
  // The same socket, to be removed some day.
  SocketPath ToRemove(Syscalls& syscalls) const;

 private:
  HeldPath folder_;
  std::string folder_path_;  // real, with a slash behind
  std::string name_;
  Place place_;
};

}  // namespace socketeer::net
