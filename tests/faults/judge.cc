// What the sweep measures by: which failures are tolerated and why, and what the kernel says of a socket.
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <cerrno>

#include "tests/faults/sweep.h"

namespace socketeer::net::faults {
namespace {

struct Tolerated {
  const char* call;
  int level;              // of the option
  int detail;             // 0: any
  const char* operation;  // "": any
  const char* why;
};

constexpr Tolerated kTolerated[] = {
    {"getsockname", 0, 0, "", "The deed is done; an address that is not known is said to be none."},
    {"getpeername", 0, 0, "", "The same. Only ENOTCONN says that there is no peer."},
    {"open", 0, O_DIRECTORY, "", "A path that cannot be looked at is left alone: it may be somebody else's by now."},
    {"fstatat", 0, AT_SYMLINK_NOFOLLOW, "", "The same."},
    {"unlinkat", 0, 0, "", "The socket is closed all the same; a stale path refuses connections."},
    {"close", 0, 0, "", "On Linux the descriptor is gone, whatever close(2) answers."},
    {"epoll_ctl", 0, EPOLL_CTL_DEL, "", "close(2) follows, and takes it out of the epoll."},
    {"epoll_ctl", 0, EPOLL_CTL_ADD, "connect", "It is tried again when somebody waits, or soon (WatchConnect)."},
    {"epoll_ctl", 0, EPOLL_CTL_ADD, "open", "The same."},
    {"getsockopt", IPPROTO_IPV6, IPV6_V6ONLY, "open", "It has been set; the kind's word is as it was known last."},
    {"getsockopt", IPPROTO_IPV6, IPV6_V6ONLY, "setsockopt", "The same."},
    {"getsockopt", SOL_SOCKET, SO_MEMINFO, "", "What the kernel dropped is told the next time."},
    {"getsockopt", SOL_SOCKET, SO_LINGER, "close", "Then the close may block, and a worker does it."},
    {"getsockopt", SOL_SOCKET, SO_BINDTOIFINDEX, "", "Not known before: not taken back, if the call should fail."},
    {"setsockopt", SOL_SOCKET, SO_BINDTOIFINDEX, "", "EPERM of an unprivileged daemon (docs/states.md)."},
    {"setsockopt", SOL_SOCKET, SO_TIMESTAMP, "", "The connection stands; only an empty record will look like its end."},
};

int IntOption(int fd, int level, int name) {
  int value = 0;
  socklen_t size = sizeof(value);
  EXPECT_EQ(::getsockopt(fd, level, name, &value, &size), 0);
  return value;
}

bool HasPeer(int fd) {
  sockaddr_storage storage{};
  socklen_t size = sizeof(storage);
  return ::getpeername(fd, reinterpret_cast<sockaddr*>(&storage), &size) == 0;
}

bool HasName(int fd) {
  const SocketAddress local = testing::AddressOf(fd);
  return local.IsInet() ? local.port() != 0 : !local.IsUnixUnnamed();
}

// Could a socket be in `state`, as far as the kernel tells?
bool Possible(const SocketInfo& info, int fd) {
  const bool listens = IntOption(fd, SOL_SOCKET, SO_ACCEPTCONN) != 0;
  const bool peer = HasPeer(fd);
  const bool idle = !listens && !peer && (!info.kind.IsTcp() || testing::TcpStateOf(fd) == TCP_CLOSE);
  switch (info.state) {
    case State::kCreated:
      // TCP: a port that the kernel chose stays for getsockname(2) when the connection or the listener is over.
      return idle && (info.kind.IsTcp() || !HasName(fd));
    case State::kBound:
      return idle && HasName(fd);
    case State::kListening:
      return listens;
    case State::kConnecting:
      return info.kind.IsTcp() && testing::TcpStateOf(fd) == TCP_SYN_SENT;
    case State::kConnected:
      return peer;
    case State::kDisconnected:
      return idle;
    default:
      return false;
  }
}

}  // namespace

const char* WhyTolerated(const Flavour& flavour, const Scenario& scenario, const CallMade& failed) {
  const std::string operation = scenario.operation;
  const bool unknown_option = failed.number == ENOPROTOOPT || failed.number == EOPNOTSUPP;
  if (failed.call == "getsockopt" && operation == "getsockopt" && unknown_option) {
    return "An option that the kind of socket does not know is left out.";
  }
  if (failed.call == "poll" && failed.number == EINTR) return "It is asked again: a signal says nothing of the socket.";
  // Only TCP is watched before anybody waits.
  if (failed.call == "epoll_ctl" && failed.detail == EPOLL_CTL_ADD && !IsTcp(flavour)) return nullptr;
  for (const Tolerated& row : kTolerated) {
    if (failed.call != row.call || (row.detail != 0 && (failed.level != row.level || failed.detail != row.detail))) {
      continue;
    }
    if (*row.operation == 0 || operation == row.operation) return row.why;
    if (operation + ", " + scenario.how == row.operation) return row.why;
  }
  return nullptr;
}

std::string Disagreement(TestSocket& socket) {
  return socket.Run([](Socket& on_loop) -> std::string {
    const SocketInfo& info = on_loop.info();
    if (Possible(info, on_loop.fd())) return "";
    std::string text = "it says state " + std::to_string(static_cast<int>(info.state)) + ", but the kernel: ";
    text += HasName(on_loop.fd()) ? "a name, " : "no name, ";
    text += HasPeer(on_loop.fd()) ? "a peer" : "no peer";
    if (info.kind.IsTcp()) text += ", TCP state " + std::to_string(testing::TcpStateOf(on_loop.fd()));
    return text;
  });
}

}  // namespace socketeer::net::faults
