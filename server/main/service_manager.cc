#include "server/main/service_manager.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "server/base/fd.h"

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
  // Not sd_notify(3), which waits for as long as nobody reads: signals would not be heard any more.
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  const bool is_abstract = notify_socket_.starts_with('@');
  if (notify_socket_.size() > sizeof(to.sun_path)) return Unfit("cannot notify " + notify_socket_, ENAMETOOLONG);
  notify_socket_.copy(to.sun_path, sizeof(to.sun_path));
  if (is_abstract) to.sun_path[0] = '\0';
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + notify_socket_.size());
  const base::Fd from(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (from.get() < 0 || sendto(from.get(), state.data(), state.size(), MSG_DONTWAIT | MSG_NOSIGNAL,
                               reinterpret_cast<const sockaddr*>(&to), size) < 0) {
    return Unfit("cannot notify " + notify_socket_, errno);
  }
  return base::Ok();
}

}  // namespace socketeer
