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
#include <vector>

namespace socketeer::rpc {
namespace {

// A flood fills less while the control thread does something else; one that finds it full comes again a second later.
constexpr int kBacklog = 4'096;

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

// "TLS (--tls-cert, --tls-key), client identities (...) and a policy".
std::string MissingOf(const Protection& protection) {
  std::vector<std::string> missing;
  if (!protection.tls) missing.push_back("TLS (--tls-cert and --tls-key)");
  if (!protection.identities) missing.push_back("client identities (--client-ca or --token-file)");
  if (!protection.policy) missing.push_back("a policy (--policy)");
  std::string text;
  for (size_t i = 0; i < missing.size(); ++i) {
    text += (i == 0 ? "" : i + 1 == missing.size() ? " and " : ", ") + missing[i];
  }
  return text;
}

// "HOST:PORT" to an address; to one of a network only with protection.
base::Result<net::SocketAddress> ParseInet(const std::string& endpoint, const Protection& protection) {
  constexpr const char* kForms =
      "unix:PATH, /PATH, 127.0.0.1:PORT, [::1]:PORT, localhost:PORT or another IP:PORT, with a PORT of 0 to 65535";
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
  if (!address.ok()) return Refuse(endpoint, kForms);
  if (IsLoopback(*address)) return address;
  const std::string missing = MissingOf(protection);
  if (!missing.empty()) {
    return Refuse(endpoint, "a UNIX socket or a loopback address: to serve a network the daemon lacks " + missing +
                                ". Without that, forward its UNIX socket to reach it from another host: ssh -L");
  }
  return address;
}

base::Result<net::SocketAddress> ParsePlain(const PlainSetting& setting, const std::string& endpoint) {
  auto address = ParseInet(endpoint, {.tls = true, .identities = true, .policy = true});
  if (address.ok()) return address;
  const std::string port = std::to_string(setting.usual_port);
  return base::InvalidField(
      setting.name, endpoint,
      "localhost:PORT or an IP:PORT, as 127.0.0.1:" + port + " or [::]:" + port + ", with a PORT of 0 to 65535");
}

base::Result<net::SocketAddress> ParsePath(const std::string& endpoint, const std::string& path) {
  auto address = net::SocketAddress::UnixPath(path);
  if (!address.ok()) return Refuse(endpoint, "a path of 1 to 108 bytes");
  return address;
}

base::Result<net::SocketAddress> ParseEndpoint(const std::string& endpoint, const Protection& protection) {
  if (endpoint.starts_with("unix:@")) {
    return Refuse(
        endpoint,
        "a path; \"unix:./@...\" names a file, and abstract names, which anybody may connect to, are not served");
  }
  if (endpoint.starts_with("unix:")) return ParsePath(endpoint, endpoint.substr(5));
  if (endpoint.starts_with('/') || endpoint.starts_with("./")) return ParsePath(endpoint, endpoint);
  return ParseInet(endpoint, protection);
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
    const int number = errno;
    base::Error error = Failed(endpoint, "bind", number);
    if (number == EACCES && address.port() < IPPORT_RESERVED)
      error.message += "; ports below 1024 need --keep-capability net_bind_service";
    return error;
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

base::Status CheckEndpoint(const std::string& endpoint, const Protection& protection) {
  auto address = ParseEndpoint(endpoint, protection);
  if (!address.ok()) return std::move(address).error();
  return base::Ok();
}

base::Result<Listener> Listen(const std::string& endpoint, const Protection& protection) {
  auto address = ParseEndpoint(endpoint, protection);
  if (!address.ok()) return std::move(address).error();
  return address->family() == AF_UNIX ? ListenUnix(endpoint, *address) : ListenInet(endpoint, *address);
}

base::Status CheckPlainEndpoint(const PlainSetting& setting, const std::string& endpoint) {
  auto address = ParsePlain(setting, endpoint);
  if (!address.ok()) return std::move(address).error();
  return base::Ok();
}

base::Result<Listener> ListenInPlain(const PlainSetting& setting, const std::string& endpoint) {
  auto address = ParsePlain(setting, endpoint);
  if (!address.ok()) return std::move(address).error();
  return ListenInet(endpoint, *address);
}

}  // namespace socketeer::rpc
