// Binding or connecting to a link-local IPv6 address binds the socket to the interface of its scope (SO_BINDTOIFINDEX),
// and Linux leaves it so when the call fails. A ScopeGuard takes that back.
#pragma once

#include "server/net/address.h"
#include "server/net/syscalls.h"

namespace socketeer::net {

class ScopeGuard {
 public:
  // Before the call. `syscalls` must outlive the guard.
  ScopeGuard(Syscalls& syscalls, int fd, const SocketAddress& address);

  // Is there such an interface? -1 and errno (ENODEV) if not. An unprivileged daemon cannot take the binding back, so
  // it asks first.
  int Check() const;
  // After the call failed. Keeps errno.
  void Undo() const;

 private:
  int InterfaceOfSocket() const;  // -1: not known

  Syscalls& syscalls_;
  const int fd_;
  const uint32_t scope_;  // 0: the address has none, and there is nothing to guard
  const int before_;
};

}  // namespace socketeer::net
