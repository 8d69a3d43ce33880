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
#include "server/rpc/credentials.h"
#include "server/rpc/listener.h"

namespace socketeer::rpc {

struct ServerSettings {
  std::vector<std::string> listen;  // at least one; see listener.h
  std::string health{};             // where health alone is served, in plain text; empty: nowhere
  CredentialSettings credentials{};
  std::string policy{};  // its file; empty: there is none
  std::string audit{};   // its file, "-" is the standard output; empty: there is none
  std::string quotas{};  // as policy
  Log log{};
  int loops = 1;        // event loops, each with a thread: 1 to kMaxLoops
  base::Limits limits;  // DefaultLimits() of the process
  int descriptors = 0;  // the process's limit of them
};

inline constexpr int kMaxLoops = 256;

// What a daemon with these settings has of what it needs to serve a network.
Protection ProtectionBy(const ServerSettings& settings);

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

  // The real address of the health port; empty: there is none.
  const std::string& health_address() const { return health_address_; }

  // Takes the operator's files as they are now, as on SIGHUP. What is wrong is logged, and changes nothing.
  void Reload();

  // Health says NOT_SERVING, no more callers are accepted, what waits ends as DRAINING, sockets close. Returns when all
  // calls have ended, at the latest after `limit`; calls that still run then are cancelled.
  void Drain(std::chrono::milliseconds limit);

 private:
  void ReloadPolicy();
  void ReloadQuotas();

  struct Parts;
  explicit Server(std::unique_ptr<Parts> parts);

  std::unique_ptr<Parts> parts_;
  std::vector<std::string> addresses_;
  std::string health_address_;
};

}  // namespace socketeer::rpc
