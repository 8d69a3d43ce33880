// The verbs of a socket that never wait, and how its state follows the kernel.
#include <netinet/in.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <utility>

#include "server/net/errno_table.h"
#include "server/net/scope_guard.h"
#include "server/net/socket.h"

namespace socketeer::net {
namespace {

using NameCall = int (Syscalls::*)(int, sockaddr*, socklen_t*);

// Empty: it has none. Absent: the kernel does not say.
std::optional<SocketAddress> AskName(Syscalls& syscalls, NameCall call, int fd) {
  sockaddr_storage storage{};
  socklen_t size = sizeof(storage);
  if ((syscalls.*call)(fd, reinterpret_cast<sockaddr*>(&storage), &size) < 0) {
    if (errno == ENOTCONN) return SocketAddress();
    return std::nullopt;
  }
  return SocketAddress::FromKernel(&storage, std::min<size_t>(size, sizeof(storage)));
}

}  // namespace

base::Status Socket::InitializeFamily(bool both_families) {
  const auto set = [this](int level, int name, int value) -> base::Status {
    if (syscalls().SetSockOpt(fd_, level, name, &value, sizeof(value)) == 0) return base::Ok();
    return Describe(KernelError("open", "setsockopt", errno), "open");
  };
  const bool inet6 = info_.kind.family == AF_INET6;
  if (both_families) {
    if (auto status = set(IPPROTO_IPV6, IPV6_V6ONLY, 0); !status.ok()) return status;
  }
  if (!info_.kind.IsInet() || info_.kind.type != SOCK_DGRAM) return base::Ok();
  if (inet6) return set(IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
  return set(IPPROTO_IP, IP_PKTINFO, 1);
}

void Socket::EnterAccepted(const SocketAddress& peer, std::shared_ptr<const Place> bound) {
  if (bound) permits().bound = std::move(bound);
  Enter(State::kConnected, peer);  // it may be reset already
}

base::Status Socket::Bind(const SocketAddress& address) {
  const auto fault = [&](const char* system_call) {
    base::Error error = Fault(Call::kBind, system_call, errno);
    error.local = address.bytes();
    return error;
  };
  std::optional<NewPath> path;
  if (auto status = PermitBind(address, &path); !status.ok()) return status;
  const ScopeGuard scope(syscalls(), fd_, address);
  if (info_.state == State::kCreated && scope.Check() < 0) return fault("ioctl");
  if (syscalls().Bind(fd_, address.data(), address.size()) < 0) {
    scope.Undo();
    return fault("bind");
  }
  if (address.IsUnixPath() && !path) path_ = std::make_unique<SocketPath>(syscalls(), address.unix_name());
  named_ = info_.kind.IsInet() && address.port() == 0 ? Named::kByKernel : Named::kByCaller;
  if (info_.kind.IsTcp()) {
    // The kernel binds no connection that lasts: this one ended, and nobody was told.
    if (info_.state == State::kConnected) info_.state = State::kDisconnected;
  }
  Enter(info_.state == State::kCreated ? State::kBound : info_.state);
  return NoteBoundTo(path);
}

base::Status Socket::Listen(int backlog) {
  if (auto status = PermitListen(); !status.ok()) return status;
  if (syscalls().Listen(fd_, backlog) < 0) return Fault(Call::kListen, "listen", errno);
  Enter(State::kListening);
  return base::Ok();
}

base::Status Socket::Disconnect() {
  if (attached()) return Describe(base::SocketAttached(), "connect");
  const SocketAddress unspecified = SocketAddress::Unspecified();
  if (syscalls().Connect(fd_, unspecified.data(), unspecified.size()) < 0) {
    return Fault(Call::kDisconnect, "connect", errno);
  }
  NoteDisconnected();
  return base::Ok();
}

void Socket::NoteDisconnected() {
  // Only TCP begins anew; of the others the kernel remembers what was shut down.
  if (info_.kind.IsTcp()) info_.read_shutdown = info_.write_shutdown = false;
  connect_failed_ = false;
  BecomeIdle();
}

base::Status Socket::Shutdown(int how) {
  const State state = info_.state;
  if (info_.kind.IsInet() && (state == State::kCreated || state == State::kBound)) {
    // Linux answers ENOTCONN and shuts down all the same; a refused call must change nothing.
    return Describe(base::WrongState("shutdown", "it has no connection"), "shutdown");
  }
  if (syscalls().Shutdown(fd_, how) < 0) {
    constexpr Call kCallOf[] = {Call::kShutdownRead, Call::kShutdownWrite, Call::kShutdownBoth};
    return Fault(kCallOf[how], "shutdown", errno);
  }
  // Linux: shutting down the read side of a TCP listener, or of a connection in the making, dissolves it.
  if (info_.kind.IsTcp() && (state == State::kListening || state == State::kConnecting)) {
    if (how != SHUT_WR || state == State::kConnecting) BecomeIdle();
    return base::Ok();
  }
  info_.read_shutdown |= how != SHUT_WR;
  info_.write_shutdown |= how != SHUT_RD;
  Enter(state);
  return base::Ok();
}

base::Status Socket::SetOptions(const OptionList& options) {
  base::Status status = base::Ok();
  for (const auto& [row, value] : options) {
    status = PermitOption(*row);
    if (!status.ok()) break;
    status = SetOption(syscalls(), fd_, *row, value);
    if (status.ok()) continue;
    base::Error error = std::move(status).error();
    // The one option of ours that a state forbids: once there is a port.
    if (row->number == IPV6_V6ONLY && row->level == IPPROTO_IPV6 && error.errno_number == EINVAL) {
      error.code = base::Code::kFailedPrecondition;
    }
    status = Describe(std::move(error), "setsockopt");
    break;
  }
  LearnDual();     // also when a later one failed
  CheckWaiters();  // rcvlowat moves the mark
  return status;
}

void Socket::LearnDual() {
  if (info_.kind.family != AF_INET6) return;
  int v6only = 1;
  socklen_t size = sizeof(v6only);
  if (syscalls().GetSockOpt(fd_, IPPROTO_IPV6, IPV6_V6ONLY, &v6only, &size) < 0) return;
  const bool dual = v6only == 0;
  if (dual == info_.kind.dual) return;
  if (permits_) permits_->out = permits_->in = {};
  info_.kind.dual = dual;
  observer_->OnChanged(info_);
}

base::Result<OptionList> Socket::GetOptions() {
  auto options = GetAllOptions(syscalls(), fd_);
  if (!options.ok()) return Describe(std::move(options).error(), "getsockopt");
  return options;
}

void Socket::ReadAddresses() {
  const auto local = AskName(syscalls(), &Syscalls::GetSockName, fd_);
  local_known_ = local.has_value();
  info_.local = local.value_or(SocketAddress());
  info_.peer = AskName(syscalls(), &Syscalls::GetPeerName, fd_).value_or(SocketAddress());
  if (info_.kind.IsTcp() && info_.state == State::kCreated) info_.local = info_.local.WithoutPort();
  const bool says_nothing = info_.local.IsWildcard() && info_.local.port() == 0;
  if (info_.local.IsUnixUnnamed() || says_nothing) info_.local = {};
}

State Socket::IdleState() const {
  bool named = named_ != Named::kNot;
  if (local_known_ && !info_.kind.IsTcp()) named = info_.kind.IsInet() ? info_.local.port() != 0 : !info_.local.empty();
  return named ? State::kBound : State::kCreated;
}

void Socket::BecomeIdle() {
  const bool had_something =
      info_.state == State::kListening || info_.state == State::kConnecting || info_.state == State::kConnected;
  if ((had_something || !info_.kind.IsTcp()) && named_ == Named::kByKernel) named_ = Named::kNot;
  if (info_.state == State::kListening) ResetConnections();
  if (info_.kind.IsTcp()) RestartStream();  // the kernel, too, forgets what the old connection brought
  NoteLedNowhere();
  ReadAddresses();
  Enter(IdleState());
}

void Socket::NoteConnectFailure() {
  const bool was_seen = std::exchange(connect_failed_, false);  // it only now gives up the address, too
  if (info_.state == State::kConnecting || was_seen) return BecomeIdle();
  NoteAutobind();
}

void Socket::Enter(State state, const SocketAddress& peer) {
  const bool was_idle = info_.state == State::kCreated || info_.state == State::kBound;
  const bool begins = state == State::kConnecting || state == State::kConnected;
  if (was_idle && begins) {  // nothing of an old connection shows in the new one
    if (info_.kind.IsTcp()) RestartStream();
    if (kept_) {
      kept_->error = {};
      kept_->owed_error = 0;
    }
  }
  info_.state = state;
  if (state == State::kConnecting || state == State::kConnected) connect_failed_ = false;
  ReadAddresses();
  if (info_.peer.empty()) info_.peer = peer;
  if (state == State::kConnected && info_.kind.type == SOCK_SEQPACKET) {
    // Lets ReadDatagram() tell an empty record from the end. Not SO_PASSCRED: with it, connect and send name the
    // socket.
    const int on = 1;
    syscalls().SetSockOpt(fd_, SOL_SOCKET, SO_TIMESTAMP, &on, sizeof(on));
  }
  WatchConnect();
  observer_->OnChanged(info_);
  CheckWaiters();
}

void Socket::NoteAutobind() {
  if (info_.state != State::kCreated) return;
  ReadAddresses();
  // Whatever became of its first datagram, it has a port by now.
  if (!local_known_ && info_.kind.IsInet() && !info_.kind.IsTcp()) named_ = Named::kByKernel;
  if (IdleState() == State::kBound) Enter(State::kBound);
}

bool Socket::MustRefuseSend(const SocketAddress& destination) const {
  return destination.empty() && info_.state == State::kCreated && info_.kind.IsInet() && !info_.kind.IsTcp();
}

void Socket::NoteDataError(int number) {
  if (info_.state != State::kConnected || number == EAGAIN) return;
  if (number == EPIPE && info_.write_shutdown) return;  // our own doing
  const auto peer_now = AskName(syscalls(), &Syscalls::GetPeerName, fd_);
  const bool no_peer = peer_now && peer_now->empty();
  if (!info_.kind.IsConnectionOriented()) {
    // A UNIX datagram socket loses a peer that was closed.
    if (no_peer) BecomeIdle();
    return;
  }
  if (no_peer || number == ECONNRESET || number == ECONNABORTED || number == ETIMEDOUT) {
    if (named_ == Named::kByKernel) named_ = Named::kNot;
    Enter(State::kDisconnected, SocketAddress(info_.peer));  // whose connection it was
  }
}

void Socket::SettleConnect(uint32_t events) {
  const bool broken = (events & (EPOLLERR | EPOLLHUP)) != 0;
  const auto peer = AskName(syscalls(), &Syscalls::GetPeerName, fd_);
  const bool connected = peer ? !peer->empty() : !broken && (events & EPOLLOUT) != 0;
  if (connected) return Enter(State::kConnected);
  if (!broken) return;
  // It failed. The error stays in the kernel for the next call: a connect that waits here, or a data call.
  connect_failed_ = true;
  BecomeIdle();
}

}  // namespace socketeer::net
