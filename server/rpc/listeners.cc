#include "server/rpc/listeners.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <string>
#include <utility>

namespace socketeer::rpc {
namespace {

int OptionOf(int fd, int option) {
  int value = -1;
  socklen_t size = sizeof(value);
  return getsockopt(fd, SOL_SOCKET, option, &value, &size) == 0 ? value : -1;
}

base::Error NotFit(int fd, const std::string& is) {
  base::Error error;
  error.message = "descriptor " + std::to_string(fd) + ", handed over by LISTEN_FDS, " + is +
                  "; it must be a listening stream socket, of TCP or at a UNIX path";
  return error;
}

base::Status AddAdopted(const ServerSettings& settings, std::vector<Listener>* listeners) {
  // Each has its owner before the first of them can fail.
  std::vector<base::Fd> owned;
  for (const int fd : settings.activated) owned.emplace_back(fd);
  for (base::Fd& fd : owned) {
    auto listener = Adopt(std::move(fd), ProtectionBy(settings));
    if (!listener.ok()) return std::move(listener).error();
    listeners->push_back(*std::move(listener));
  }
  return base::Ok();
}

base::Status AddAll(const ServerSettings& settings, guard::Guard& guard, std::vector<Listener>* listeners) {
  if (auto adopted = AddAdopted(settings, listeners); !adopted.ok()) return adopted;
  for (const std::string& endpoint : settings.listen) {
    auto listener = Listen(endpoint, ProtectionBy(settings));
    if (!listener.ok()) return std::move(listener).error();
    listeners->push_back(*std::move(listener));
  }
  for (const Listener& each : *listeners) {
    if (auto kept_off = guard.KeepOff(each.address); !kept_off.ok()) return kept_off;
  }
  return base::Ok();
}

}  // namespace

base::Result<Listener> Adopt(base::Fd fd, const Protection& protection) {
  Listener listener;
  sockaddr_storage real{};
  socklen_t size = sizeof(real);
  const int number = fd.get();
  if (getsockname(number, reinterpret_cast<sockaddr*>(&real), &size) < 0) return NotFit(number, "is no socket");
  if (OptionOf(number, SO_TYPE) != SOCK_STREAM) return NotFit(number, "is a socket of another type");
  if (OptionOf(number, SO_ACCEPTCONN) != 1) return NotFit(number, "does not listen");
  listener.address = net::SocketAddress::FromKernel(&real, size);
  if (listener.address.IsInet()) {
    const bool is_v6 = listener.address.family() == AF_INET6;
    const std::string ip = is_v6 ? "[" + listener.address.ip() + "]" : listener.address.ip();
    auto status = CheckEndpoint(ip + ":" + std::to_string(listener.address.port()), protection);
    if (!status.ok()) return std::move(status).error();
    // As in Listen().
    const int on = 1;
    setsockopt(number, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  } else if (!listener.address.IsUnixPath()) {
    return NotFit(number, "listens at an abstract name, or in another family");
  }
  if (fcntl(number, F_SETFL, fcntl(number, F_GETFL) | O_NONBLOCK) < 0 || fcntl(number, F_SETFD, FD_CLOEXEC) < 0) {
    return NotFit(number, "cannot be used");
  }
  listener.fd = std::move(fd);
  return listener;
}

base::Result<std::vector<Listener>> ListenAll(const ServerSettings& settings, guard::Guard& guard,
                                              net::Syscalls& syscalls) {
  std::vector<Listener> listeners;
  auto status = AddAll(settings, guard, &listeners);
  if (status.ok()) return listeners;
  for (Listener& made : listeners) made.path.Remove(syscalls);
  return std::move(status).error();
}

}  // namespace socketeer::rpc
