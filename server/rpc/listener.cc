#include "server/rpc/listener.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <string_view>
#include <utility>

namespace socketeer::rpc {
namespace {

constexpr int kBacklog = 512;

base::Error Refuse(const std::string& endpoint, const std::string& why) {
  return base::InvalidField("listen", endpoint, why);
}

base::Error Failed(const std::string& endpoint, const std::string& call, int number) {
  base::Error error;
  error.message = "cannot listen on " + endpoint + ": " + call + ": " + std::strerror(number);
  return error;
}

bool IsLoopback(const net::SocketAddress& address) {
  if (address.family() == AF_INET) return address.ip().starts_with("127.");
  return address.ip() == "::1";
}

// "HOST:PORT" to a loopback address.
base::Result<net::SocketAddress> ParseLoopback(const std::string& endpoint) {
  constexpr const char* kForms =
      "unix:PATH, /PATH, 127.0.0.1:PORT, [::1]:PORT or localhost:PORT, with a PORT of 0 to 65535";
  const size_t colon = endpoint.rfind(':');
  if (colon == std::string::npos) return Refuse(endpoint, kForms);
  std::string host = endpoint.substr(0, colon);
  if (host == "localhost") host = "127.0.0.1";
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  unsigned port = 0;
  const char* const end = endpoint.data() + endpoint.size();
  const auto parsed = std::from_chars(endpoint.data() + colon + 1, end, port);
  if (parsed.ec != std::errc() || parsed.ptr != end || port > 65535) {
    return Refuse(endpoint, kForms);
  }
  auto address = net::SocketAddress::Inet(host, port, "");
  if (!address.ok() || !IsLoopback(*address)) {
    return Refuse(endpoint,
                  "a UNIX socket or a loopback address: to serve a network a daemon needs TLS, client "
                  "identities and a policy, which this version does not have yet. To reach it from "
                  "another host, forward its UNIX socket: ssh -L");
  }
  return address;
}

base::Result<net::SocketAddress> ParsePath(const std::string& endpoint, const std::string& path) {
  auto address = net::SocketAddress::UnixPath(path);
  if (!address.ok()) return Refuse(endpoint, "a path of 1 to 108 bytes");
  return address;
}

base::Result<net::SocketAddress> ParseEndpoint(const std::string& endpoint) {
  if (endpoint.starts_with("unix:")) return ParsePath(endpoint, endpoint.substr(5));
  if (endpoint.starts_with('/') || endpoint.starts_with("./")) return ParsePath(endpoint, endpoint);
  return ParseLoopback(endpoint);
}

base::Result<Listener> ListenInet(const std::string& endpoint, const net::SocketAddress& address) {
  Listener listener;
  listener.fd.reset(socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (listener.fd.get() < 0) return Failed(endpoint, "socket", errno);
  // So that a daemon can be restarted at once. Not SO_REUSEPORT, with which two could serve one port.
  const int on = 1;
  setsockopt(listener.fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  // Accepted connections inherit it. gRPC sets it on those that it accepts itself; ours come to it as descriptors, and
  // two answers in a row would wait 40 ms for the caller's delayed acknowledgement.
  setsockopt(listener.fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  if (bind(listener.fd.get(), address.data(), address.size()) < 0) {
    return Failed(endpoint, "bind", errno);
  }
  if (listen(listener.fd.get(), kBacklog) < 0) return Failed(endpoint, "listen", errno);
  sockaddr_storage real{};
  socklen_t size = sizeof(real);
  getsockname(listener.fd.get(), reinterpret_cast<sockaddr*>(&real), &size);
  listener.address = net::SocketAddress::FromKernel(&real, size);
  return listener;
}

// Removes a socket at which nobody answers. Precondition: the directory is locked against other daemons.
base::Status ClearPath(const std::string& endpoint, const net::SocketAddress& address) {
  const std::string path = address.unix_name();
  struct stat found {};
  if (lstat(path.c_str(), &found) < 0) return base::Ok();
  if (!S_ISSOCK(found.st_mode)) return Refuse(endpoint, "free: there is a file that is no socket");
  const base::Fd probe(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (connect(probe.get(), address.data(), address.size()) < 0 && errno == ECONNREFUSED) {
    unlink(path.c_str());
    return base::Ok();
  }
  return Refuse(endpoint, "free: another daemon serves there");
}

base::Result<Listener> ListenUnix(const std::string& endpoint, const net::SocketAddress& address) {
  const std::string path = address.unix_name();
  const std::string folder = std::filesystem::path(path).parent_path().string();
  const base::Fd lock(open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (lock.get() < 0) return Failed(endpoint, "open " + folder, errno);
  flock(lock.get(), LOCK_EX);  // released with `lock`: two daemons that start at once take turns
  if (auto clear = ClearPath(endpoint, address); !clear.ok()) return std::move(clear).error();
  Listener listener;
  listener.fd.reset(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (listener.fd.get() < 0) return Failed(endpoint, "socket", errno);
  // The process's umask makes it mode 0600 from the start (main.cc).
  if (bind(listener.fd.get(), address.data(), address.size()) < 0) {
    return Failed(endpoint, "bind", errno);
  }
  listener.path = net::SocketPath(net::KernelSyscalls(), path);
  if (listen(listener.fd.get(), kBacklog) < 0) {
    const int number = errno;
    listener.path.Remove(net::KernelSyscalls());
    return Failed(endpoint, "listen", number);
  }
  listener.address = address;
  return listener;
}

}  // namespace

std::string Listener::ToString() const {
  return address.family() == AF_UNIX ? "unix:" + address.unix_name() : address.ToString();
}

base::Status CheckEndpoint(const std::string& endpoint) {
  auto address = ParseEndpoint(endpoint);
  if (!address.ok()) return std::move(address).error();
  return base::Ok();
}

base::Result<Listener> Listen(const std::string& endpoint) {
  auto address = ParseEndpoint(endpoint);
  if (!address.ok()) return std::move(address).error();
  return address->family() == AF_UNIX ? ListenUnix(endpoint, *address) : ListenInet(endpoint, *address);
}

}  // namespace socketeer::rpc
