// Whoever started this process and supervises it, by systemd's protocols: sd_listen_fds(3), sd_notify(3),
// sd_watchdog_enabled(3). Without one, nothing is given and nothing told. Main thread only.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "server/base/result.h"

namespace socketeer {

class ServiceManager {
 public:
  // From the environment. An error: what is in it cannot be meant.
  static base::Result<ServiceManager> Find();

  // Listening sockets, which become the caller's.
  const std::vector<int>& sockets() const { return sockets_; }
  // Where it is told, as $NOTIFY_SOCKET has it; "": nowhere.
  const std::string& notify_socket() const { return notify_socket_; }
  // How often it must hear that all is well at the latest; zero: it does not ask.
  std::chrono::microseconds watchdog() const { return watchdog_; }

  // Lines as of sd_notify(3), "READY=1". An error: they could not be sent, or nobody has read those before. Does not
  // wait.
  base::Status Tell(const std::string& state) const;

 private:
  std::vector<int> sockets_;
  std::string notify_socket_;
  std::chrono::microseconds watchdog_{0};
};

}  // namespace socketeer
