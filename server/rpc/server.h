// The daemon in one object: loops, registry, services, and the listeners for its callers.
//
//   auto server = Server::Start({.listen = {"unix:/run/socketeer.sock"}});
//   ... (*server)->addresses() ...
//   (*server)->Drain();
//
// Functions are for one thread at a time.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "server/base/clock.h"
#include "server/base/limits.h"
#include "server/base/result.h"
#include "server/net/syscalls.h"

namespace socketeer::rpc {

struct ServerSettings {
  std::vector<std::string> listen;  // at least one; see listener.h
  int loops = 1;                    // event loops, each with a thread: 1 to kMaxLoops
  base::Limits limits;              // DefaultLimits() of the process
  int descriptors = 0;              // the process's limit of them
};

inline constexpr int kMaxLoops = 256;

class Server {
 public:
  // Serves when it returns. Errors are for the operator: message only. `syscalls` and `clock` must outlive the server.
  static base::Result<std::unique_ptr<Server>> Start(const ServerSettings& settings,
                                                     net::Syscalls& syscalls = net::KernelSyscalls(),
                                                     const base::Clock& clock = base::SystemClock());
  // Drains with a limit of zero, if that was not done.
  ~Server();

  // The real addresses, in the order of `listen`: "unix:/run/socketeer.sock", "127.0.0.1:40123".
  const std::vector<std::string>& addresses() const { return addresses_; }

  // Health says NOT_SERVING, no more callers are accepted, what waits ends as DRAINING, sockets close. Returns when all
  // calls have ended, at the latest after `limit`; calls that still run then are cancelled.
  void Drain(std::chrono::milliseconds limit);

 private:
  struct Parts;
  explicit Server(std::unique_ptr<Parts> parts);

  std::unique_ptr<Parts> parts_;
  std::vector<std::string> addresses_;
};

}  // namespace socketeer::rpc
