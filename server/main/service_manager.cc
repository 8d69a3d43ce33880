#include "server/main/service_manager.h"

#include <systemd/sd-daemon.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>

namespace socketeer {
namespace {

base::Error Unfit(const std::string& what, int number) {
  base::Error error;
  error.code = base::Code::kFailedPrecondition;
  error.message = what + ": " + std::strerror(number);
  return error;
}

}  // namespace

base::Result<ServiceManager> ServiceManager::Find() {
  ServiceManager manager;
  const int count = sd_listen_fds(1);
  if (count < 0) return Unfit("LISTEN_FDS and LISTEN_PID: the sockets that were handed over", -count);
  for (int i = 0; i < count; ++i) manager.sockets_.push_back(SD_LISTEN_FDS_START + i);
  uint64_t microseconds = 0;
  const int enabled = sd_watchdog_enabled(0, &microseconds);
  if (enabled < 0) return Unfit("WATCHDOG_USEC and WATCHDOG_PID", -enabled);
  if (enabled > 0) manager.watchdog_ = std::chrono::microseconds(microseconds);
  if (const char* const socket = std::getenv("NOTIFY_SOCKET"); socket != nullptr) manager.notify_socket_ = socket;
  return manager;
}

base::Status ServiceManager::Tell(const std::string& state) const {
  if (notify_socket_.empty()) return base::Ok();
  const int sent = sd_notify(0, state.c_str());
  if (sent < 0) return Unfit("cannot notify " + notify_socket_, -sent);
  return base::Ok();
}

}  // namespace socketeer
