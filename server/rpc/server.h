// The daemon in one object: loops, registry, services, and the listeners for its callers.
//
//   auto server = Server::Start({.listen = {"unix:/run/socketeer.sock"}});
//   ... (*server)->addresses() ...
//   (*server)->Drain();
//
// Functions are for one thread at a time.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
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
  std::vector<std::string> listen;  // see listener.h; at least one, or of the next
  std::vector<int> activated{};     // sockets that listen already: descriptors, which become the server's
  // The UNIX socket of whoever supervises the daemon, '@' before an abstract name; callers are kept off it. "": none.
  std::string notify_socket{};
  std::string health{};   // where health alone is served, in plain text; empty: nowhere
  std::string metrics{};  // the same of metrics
  CredentialSettings credentials{};
  std::string policy{};  // its file; empty: there is none
  std::string audit{};   // its file, "-" is the standard output; empty: there is none
  std::string quotas{};  // as policy
  Log log{};
  CallLog call_log{};
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

  // The real addresses, those of `activated` and then of `listen`: "unix:/run/socketeer.sock", "127.0.0.1:40123".
  const std::vector<std::string>& addresses() const { return addresses_; }

  // The real address of the health port; empty: there is none.
  const std::string& health_address() const { return health_address_; }
  // The same of the metrics port.
  const std::string& metrics_address() const { return metrics_address_; }

  // Takes the operator's files as they are now, as on SIGHUP. What is wrong is logged, and changes nothing.
  void Reload();

  // False when an event loop has not done since the last question what it was asked then, see pulse.h.
  bool LoopsTurn();

  // How a drain goes on: calls that still run, and the time that they have.
  using Progress = std::function<void(uint32_t calls, std::chrono::milliseconds left)>;

  // Health says NOT_SERVING, no more callers are accepted, what waits ends as DRAINING, sockets close. Returns when all
  // calls have ended, at the latest after `limit`, if every event loop turns; calls that still run then are cancelled:
  // so many it returns. `progress` runs each time that `step` has passed.
  uint32_t Drain(
      std::chrono::milliseconds limit, std::chrono::milliseconds step = std::chrono::seconds(1),
      const Progress& progress = [](uint32_t, std::chrono::milliseconds) {});

 private:
  void ReloadPolicy();
  void ReloadQuotas();
  uint32_t AwaitIdle(std::chrono::milliseconds limit, std::chrono::milliseconds step, const Progress& progress);

  struct Parts;
  explicit Server(std::unique_ptr<Parts> parts);

  std::unique_ptr<Parts> parts_;
  std::vector<std::string> addresses_;
  std::string health_address_;
  std::string metrics_address_;
};

}  // namespace socketeer::rpc
