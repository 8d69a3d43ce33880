// Who waits for a condition of a socket, and when it holds.
#include "server/net/readiness.h"

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "server/net/attachment.h"
#include "server/net/errno_table.h"
#include "server/net/socket.h"

namespace socketeer::net {
namespace {

bool NeedsPoll(Condition condition) {
  return condition == Condition::kReadable || condition == Condition::kWritable || condition == Condition::kPeerClosed;
}

}  // namespace

void Socket::AddWaiter(Waiter waiter) {
  // Watched before the first look, so that nothing can happen between the two.
  if (NeedsPoll(waiter.condition)) {
    if (auto watched = EnsureWatched(); !watched.ok()) {
      return std::move(waiter.done)(Describe(std::move(watched).error(), "await"));
    }
  }
  if (!waiters_) waiters_ = std::make_unique<std::vector<Waiter>>();
  waiters_->push_back(std::move(waiter));
  if (attached()) kept_->attachment->WatchAll();
  CheckWaiters();
}

void Socket::RemoveWaiter(WaiterId id) {
  if (!waiters_) return;
  std::erase_if(*waiters_, [id](const Waiter& waiter) { return waiter.id == id; });
  if (waiters_->empty()) waiters_.reset();
}

void Socket::CheckWaiters() {
  if (!waiters_ || fd_ < 0) return;  // while a close lingers, they wait for its end
  short polled = -1;
  std::vector<std::pair<Waiter, base::Result<const SocketInfo*>>> ended;
  for (auto it = waiters_->begin(); it != waiters_->end();) {
    auto ready = IsReady(*it, &polled);
    if (ready.ok() && !*ready) {
      ++it;
      continue;
    }
    // A look that failed is not repeated: what there was to see may not be announced again.
    base::Result<const SocketInfo*> result = static_cast<const SocketInfo*>(&info_);
    if (!ready.ok()) result = Describe(std::move(ready).error(), "await");
    ended.emplace_back(std::move(*it), std::move(result));
    it = waiters_->erase(it);
  }
  if (waiters_->empty()) waiters_.reset();
  for (auto& [waiter, result] : ended) std::move(waiter.done)(std::move(result));
}

void Socket::EndWaiters() {
  const auto waiters = std::exchange(waiters_, nullptr);
  if (!waiters) return;
  for (Waiter& waiter : *waiters) {
    std::move(waiter.done)(waiter.condition == Condition::kClosed ? &info_ : static_cast<const SocketInfo*>(nullptr));
  }
}

base::Result<bool> Socket::IsReady(const Waiter& waiter, short* polled) {
  if (NeedsPoll(waiter.condition) && *polled < 0) {
    pollfd item{.fd = fd_, .events = POLLIN | POLLOUT | POLLRDHUP, .revents = 0};
    int count = 0;
    do {
      count = syscalls().Poll(&item, 1, 0);
    } while (count < 0 && errno == EINTR);
    if (count < 0) return KernelError("await", "poll", errno);
    *polled = count > 0 ? item.revents : short{0};
  }
  switch (waiter.condition) {
    case Condition::kListening:
      return info_.state == State::kListening;
    case Condition::kConnected:
      return info_.state == State::kConnected;
    case Condition::kWritable:
      return (*polled & POLLOUT) != 0;
    case Condition::kPeerClosed:
      return PeerClosed(*polled);
    case Condition::kClosed:
      return false;  // told by Close()
    case Condition::kReadable:
      break;
  }
  if (waiter.readable_bytes == 0) return HasKept() || (*polled & POLLIN) != 0;
  // As FIONREAD does, it counts the first datagram.
  if (kept_ && kept_->datagrams && kept_->datagrams->readable() > 0) {
    const IncomingDatagram& first = *kept_->datagrams->At(kept_->datagrams->base());
    return first.error != 0 || first.payload.size() >= waiter.readable_bytes;
  }
  const size_t kept = kept_ ? kept_->bytes.readable() : 0;
  int there = 0;
  if (syscalls().BytesReadable(fd_, &there) < 0) {
    if (errno == EINVAL && info_.state == State::kListening) return false;  // it has no bytes
    return KernelError("await", "ioctl", errno);
  }
  return kept + static_cast<size_t>(there) >= waiter.readable_bytes;
}

base::Result<bool> Socket::PeerClosed(short polled) {
  const bool had_peer = info_.state == State::kConnected || info_.state == State::kDisconnected;
  if (!had_peer || !info_.kind.IsConnectionOriented()) return false;
  if (!info_.read_shutdown) return (polled & (POLLRDHUP | POLLHUP)) != 0;
  // Our own shutdown of the read side raises POLLRDHUP too; TCP's state tells the two apart.
  tcp_info tcp{};
  socklen_t size = sizeof(tcp);
  if (!info_.kind.IsTcp()) return (polled & POLLHUP) != 0 && !info_.write_shutdown;
  if (syscalls().GetSockOpt(fd_, IPPROTO_TCP, TCP_INFO, &tcp, &size) < 0) {
    return KernelError("await", "getsockopt", errno);
  }
  return tcp.tcpi_state == TCP_CLOSE_WAIT || tcp.tcpi_state == TCP_LAST_ACK || tcp.tcpi_state == TCP_CLOSING ||
         tcp.tcpi_state == TCP_TIME_WAIT || tcp.tcpi_state == TCP_CLOSE;
}

}  // namespace socketeer::net
