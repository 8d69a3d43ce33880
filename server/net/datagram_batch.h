// What recvmmsg(2) brings, taken apart.
#pragma once

#include <sys/socket.h>

#include "server/net/address.h"
#include "server/net/socket_info.h"
#include "server/net/syscalls.h"

namespace socketeer::net {

// Datagrams of one recvmmsg(2) or sendmmsg(2).
inline constexpr size_t kDatagramsAtOnce = 32;

// The call that an attached stream receives with, for errors.
inline const char* ReceiveCallOf(const SocketKind& kind) { return kind.IsInet() ? "recvmmsg" : "recvmsg"; }

// Closes what a peer passed (SCM_RIGHTS, unix(7)): nobody here could have it, and the kernel has made it ours.
void CloseDescriptors(Syscalls& syscalls, msghdr& message);
// The address that a datagram was sent to; empty when the kernel did not say.
SocketAddress DestinationOf(msghdr& message);

}  // namespace socketeer::net
