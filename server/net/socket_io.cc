// How bytes, datagrams and connections come in, and stay until they are acknowledged.
#include <algorithm>
#include <cerrno>
#include <utility>

#include "server/base/limits.h"
#include "server/net/connection_operations.h"
#include "server/net/datagram_batch.h"
#include "server/net/socket.h"

namespace socketeer::net {
Socket::Kept& Socket::kept() {
  if (!kept_) kept_ = std::make_unique<Kept>(budget_, observer_->account());
  return *kept_;
}

void Socket::ForgetIfUnused() {
  const bool unused = kept_ && kept_->bytes.end() == 0 && !kept_->bytes.receiving() && !kept_->datagrams &&
                      !kept_->connections && !kept_->attachment && kept_->attachment_id == 0 &&
                      kept_->error.number == 0 && kept_->owed_error == 0;
  if (unused) kept_.reset();
}

RetainedDatagrams& Socket::datagrams() {
  if (!kept().datagrams) kept_->datagrams = std::make_unique<RetainedDatagrams>();
  return *kept_->datagrams;
}

RetainedConnections& Socket::connections() {
  if (!kept().connections) kept_->connections = std::make_unique<RetainedConnections>();
  return *kept_->connections;
}

void Socket::NoteRetained() {
  if (!kept_) return;
  size_t payload = kept_->bytes.payload();
  size_t overhead = 0;
  if (kept_->datagrams) {
    payload += kept_->datagrams->payload();
    overhead = kept_->datagrams->size() * base::kDatagramOverhead;
  }
  if (attached()) payload += kept_->attachment->kept_bytes();
  kept_->charge.Settle(payload + overhead);
  gauges().retained_bytes.store(payload, std::memory_order_relaxed);
}

bool Socket::HasKept() const {
  if (!kept_) return false;
  return kept_->bytes.readable() > 0 || kept_->error.number != 0 ||
         (kept_->datagrams && kept_->datagrams->readable() > 0) ||
         (kept_->connections && kept_->connections->readable() > 0);
}

int Socket::TakeError(bool named, bool peek) {
  if (!kept_) return 0;
  const auto error = kept_->error;
  if (!peek || !error.told) kept_->error = {};
  return error.told && !named ? 0 : error.number;
}

void Socket::RestartStream() {
  sent_ = 0;
  if (!kept_) return;
  kept_->bytes.Restart();
  kept_->attachment_id = 0;
  kept_->error = {};
  NoteRetained();
}

void Socket::ResetConnections() {
  if (!kept_ || !kept_->connections) return;
  RetainedConnections& kept = *kept_->connections;
  // What became a socket of its own stays, with its number: an attachment may have told it, and count on it.
  while (kept.end() > kept.given() && kept.At(kept.end() - 1)->fd >= 0) {
    const int fd = kept.At(kept.end() - 1)->fd;
    const linger reset{.l_onoff = 1, .l_linger = 0};
    if (info_.kind.IsTcp()) syscalls().SetSockOpt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
    syscalls().Close(fd);
    kept.ForgetLast();
  }
}

base::Result<ssize_t> Socket::TakeBytes(size_t most) {
  auto room = kept().charge.Reserve(1, most);
  if (!room.ok()) return std::move(room).error();
  const ssize_t count = ReadBytes(loop_.scratch(), *room, false);
  const int number = errno;
  if (count > 0) kept_->bytes.Append(loop_.scratch(), static_cast<size_t>(count));
  NoteRetained();
  errno = number;
  return count;
}

ssize_t Socket::TakeAway(char* buffer, size_t size) {
  const ssize_t count = ReadBytes(buffer, size, false);
  if (count > 0) kept_->bytes.PassBy(static_cast<size_t>(count));
  return count;
}

ssize_t Socket::ReadBytes(char* buffer, size_t size, bool peek) {
  iovec part{.iov_base = buffer, .iov_len = size};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  const ssize_t count = syscalls().RecvMsg(fd_, &message, MSG_DONTWAIT | (peek ? MSG_PEEK : 0));
  if (count == 0 && kept_ && kept_->owed_error != 0) {
    errno = peek ? kept_->owed_error : std::exchange(kept_->owed_error, 0);
    return -1;
  }
  if (count > 0) peek ? CountMoved(static_cast<uint64_t>(count)) : CountReceived(static_cast<uint64_t>(count), 0);
  return count;
}

base::Result<int> Socket::TakeDatagram() {
  constexpr uint64_t kLargest = base::kMaxPayloadBytes + base::kDatagramOverhead;
  if (auto room = kept().charge.Reserve(kLargest, kLargest); !room.ok()) {
    // Not for any; for this one?
    const ssize_t size = NextDatagramSize();
    if (size < 0) return -1;
    const uint64_t cost =
        std::min<uint64_t>(static_cast<uint64_t>(size), base::kMaxPayloadBytes) + base::kDatagramOverhead;
    room = kept_->charge.Reserve(cost, cost);
    if (!room.ok()) return std::move(room).error();
  }
  IncomingDatagram datagram;
  const int got = ReadDatagram(&datagram, false);
  const int number = errno;
  if (got == 0) datagrams().Append(std::move(datagram));
  NoteRetained();
  errno = number;
  return got;
}

base::Status Socket::TakeConnection() {
  sockaddr_storage peer{};
  socklen_t size = sizeof(peer);
  const int fd = syscalls().Accept4(fd_, reinterpret_cast<sockaddr*>(&peer), &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd < 0) return Fault(Call::kAccept, "accept4", errno);
  gauges().accepted.fetch_add(1, std::memory_order_relaxed);
  loop_.counters().accepted.Add();
  // A TCP peer that has reset already has no name for getpeername(2), but accept(2) still knew it.
  connections().Append(
      {.fd = fd, .peer = SocketAddress::FromKernel(&peer, std::min<size_t>(size, sizeof(peer))), .became = nullptr});
  return base::Ok();
}

AcceptResult Socket::GiveConnection(uint64_t number, const std::shared_ptr<SocketObserver>& becomes) {
  IncomingConnection& next = *connections().At(number);
  AcceptResult result;
  result.fd = std::exchange(next.fd, -1);
  result.info.kind = info_.kind;
  result.info.state = State::kConnected;
  result.info.peer = next.peer;
  if (permits_) result.bound = permits_->bound;
  next.became = becomes;
  return result;
}

ssize_t Socket::NextDatagramSize() {
  msghdr message{};
  return syscalls().RecvMsg(fd_, &message, MSG_DONTWAIT | MSG_TRUNC | MSG_PEEK);
}

int Socket::ReadDatagram(IncomingDatagram* out, bool peek) {
  iovec part{.iov_base = loop_.scratch(), .iov_len = base::kMaxPayloadBytes};
  alignas(cmsghdr) char control[256];
  sockaddr_storage source{};
  msghdr message{};
  message.msg_name = &source;
  message.msg_namelen = sizeof(source);
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof(control);
  const int flags = MSG_DONTWAIT | MSG_TRUNC | MSG_CMSG_CLOEXEC | (peek ? MSG_PEEK : 0);
  const ssize_t size = syscalls().RecvMsg(fd_, &message, flags);
  if (size < 0) return -1;
  if (info_.kind.family == AF_UNIX) CloseDescriptors(syscalls(), message);
  // An empty record and the end of a seqpacket connection both read as 0; only a record carries a time
  // (Enter turns SO_TIMESTAMP on for that).
  if (size == 0 && info_.kind.IsConnectionOriented() && message.msg_controllen == 0) return 1;
  out->true_size = static_cast<uint64_t>(size);
  out->payload.assign(loop_.scratch(), std::min<size_t>(static_cast<size_t>(size), base::kMaxPayloadBytes));
  out->source = SocketAddress::FromKernel(&source, message.msg_namelen);
  if (out->source.IsUnixUnnamed()) out->source = {};
  out->destination = DestinationOf(message);
  peek ? CountMoved(out->payload.size()) : CountReceived(out->payload.size(), 1);
  return 0;
}

}  // namespace socketeer::net
