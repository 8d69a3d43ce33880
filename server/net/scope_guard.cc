#include "server/net/scope_guard.h"

#include <net/if.h>

#include <cerrno>

namespace socketeer::net {

ScopeGuard::ScopeGuard(Syscalls& syscalls, int fd, const SocketAddress& address)
    : syscalls_(syscalls),
      fd_(fd),
      scope_(address.NeedsScope() ? address.scope_id() : 0),
      before_(scope_ == 0 ? -1 : InterfaceOfSocket()) {}

int ScopeGuard::Check() const {
  if (scope_ == 0) return 0;
  ifreq request{};
  request.ifr_ifindex = static_cast<int>(scope_);
  return syscalls_.InterfaceName(fd_, &request);
}

void ScopeGuard::Undo() const {
  if (scope_ == 0) return;
  const int error = errno;
  if (before_ >= 0 && InterfaceOfSocket() != before_) {
    syscalls_.SetSockOpt(fd_, SOL_SOCKET, SO_BINDTOIFINDEX, &before_, sizeof(before_));
  }
  errno = error;
}

int ScopeGuard::InterfaceOfSocket() const {
  int index = -1;
  socklen_t size = sizeof(index);
  return syscalls_.GetSockOpt(fd_, SOL_SOCKET, SO_BINDTOIFINDEX, &index, &size) == 0 ? index : -1;
}

}  // namespace socketeer::net
