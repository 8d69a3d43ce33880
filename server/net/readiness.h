// What can be awaited of a socket (AwaitSockets).
#pragma once

#include <cstdint>

#include "absl/functional/any_invocable.h"
#include "server/base/result.h"

namespace socketeer::net {

struct SocketInfo;

// The numbers are socketeer.v1.Condition's.
enum class Condition {
  kListening = 1,
  kConnected = 2,
  kReadable = 3,
  kWritable = 4,
  kPeerClosed = 5,
  kClosed = 6,
};

using WaiterId = uint64_t;  // unique in the process

// One who waits. `done` is called once, on the loop's thread: with the socket's info when the condition holds, with
// null when the socket was closed before it held, with an error when the kernel does not watch it. It must not destroy
// the socket.
struct Waiter {
  WaiterId id = 0;
  Condition condition = Condition::kReadable;
  uint32_t readable_bytes = 0;  // kReadable: 0 is any readiness
  absl::AnyInvocable<void(base::Result<const SocketInfo*>) &&> done;
};

}  // namespace socketeer::net
