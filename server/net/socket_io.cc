// How bytes and datagrams come out of a socket: what was put back first, then the kernel's.
#include <netinet/in.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <iterator>
#include <utility>

#include "server/base/limits.h"
#include "server/net/socket.h"

namespace socketeer::net {
namespace {

// The address that a datagram was sent to; empty when the kernel did not say.
SocketAddress DestinationOf(msghdr& message) {
  for (cmsghdr* part = CMSG_FIRSTHDR(&message); part; part = CMSG_NXTHDR(&message, part)) {
    if (part->cmsg_level == IPPROTO_IP && part->cmsg_type == IP_PKTINFO) {
      in_pktinfo info;
      std::memcpy(&info, CMSG_DATA(part), sizeof(info));
      sockaddr_in address{};
      address.sin_family = AF_INET;
      address.sin_addr = info.ipi_addr;
      return SocketAddress::FromKernel(&address, sizeof(address));
    }
    if (part->cmsg_level == IPPROTO_IPV6 && part->cmsg_type == IPV6_PKTINFO) {
      in6_pktinfo info;
      std::memcpy(&info, CMSG_DATA(part), sizeof(info));
      sockaddr_in6 address{};
      address.sin6_family = AF_INET6;
      address.sin6_addr = info.ipi6_addr;
      return SocketAddress::FromKernel(&address, sizeof(address));
    }
  }
  return {};
}

}  // namespace

Socket::PutBackData& Socket::put_back() {
  if (!put_back_) put_back_ = std::make_unique<PutBackData>();
  return *put_back_;
}

void Socket::PutBack(std::string bytes) {
  if (bytes.empty()) return;
  gauges().bytes_received.fetch_sub(bytes.size(), std::memory_order_relaxed);
  put_back().bytes.insert(0, bytes);
}

void Socket::PutBack(std::vector<IncomingDatagram> datagrams) {
  if (datagrams.empty()) return;
  for (const IncomingDatagram& each : datagrams) {
    gauges().bytes_received.fetch_sub(each.payload.size(), std::memory_order_relaxed);
  }
  gauges().datagrams_received.fetch_sub(datagrams.size(), std::memory_order_relaxed);
  auto& kept = put_back().datagrams;
  kept.insert(kept.begin(), std::make_move_iterator(datagrams.begin()), std::make_move_iterator(datagrams.end()));
}

void Socket::PutBackError(int number) { put_back().error = number; }

ssize_t Socket::Receive(char* buffer, size_t size, bool peek) {
  if (put_back_ && !put_back_->bytes.empty()) {
    const size_t count = std::min(size, put_back_->bytes.size());
    std::memcpy(buffer, put_back_->bytes.data(), count);
    if (peek) return static_cast<ssize_t>(count);
    put_back_->bytes.erase(0, count);
    gauges().bytes_received.fetch_add(count, std::memory_order_relaxed);
    return static_cast<ssize_t>(count);
  }
  if (put_back_ && put_back_->error != 0) {
    errno = std::exchange(put_back_->error, 0);
    return -1;
  }
  iovec part{.iov_base = buffer, .iov_len = size};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  const ssize_t count = syscalls().RecvMsg(fd_, &message, MSG_DONTWAIT | (peek ? MSG_PEEK : 0));
  if (count > 0 && !peek) {
    gauges().bytes_received.fetch_add(static_cast<uint64_t>(count), std::memory_order_relaxed);
  }
  return count;
}

int Socket::ReceiveDatagram(IncomingDatagram* out, bool peek) {
  if (put_back_ && !put_back_->datagrams.empty()) {
    auto& kept = put_back_->datagrams;
    if (peek) {
      *out = kept.front();
    } else {
      *out = std::move(kept.front());
      kept.erase(kept.begin());
    }
  } else if (put_back_ && put_back_->error != 0) {
    errno = std::exchange(put_back_->error, 0);
    return -1;
  } else if (const int got = ReceiveFromKernel(out, peek); got != 0) {
    return got;
  }
  if (!peek) {
    gauges().bytes_received.fetch_add(out->payload.size(), std::memory_order_relaxed);
    gauges().datagrams_received.fetch_add(1, std::memory_order_relaxed);
  }
  return 0;
}

int Socket::ReceiveFromKernel(IncomingDatagram* out, bool peek) {
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
  const ssize_t size = syscalls().RecvMsg(fd_, &message, MSG_DONTWAIT | MSG_TRUNC | (peek ? MSG_PEEK : 0));
  if (size < 0) return -1;
  // An empty record and the end of a seqpacket connection both read as 0; only a record carries a time
  // (Enter turns SO_TIMESTAMP on for that).
  if (size == 0 && info_.kind.IsConnectionOriented() && message.msg_controllen == 0) return 1;
  out->true_size = static_cast<uint64_t>(size);
  out->payload.assign(loop_.scratch(), std::min<size_t>(static_cast<size_t>(size), base::kMaxPayloadBytes));
  out->source = SocketAddress::FromKernel(&source, message.msg_namelen);
  if (out->source.IsUnixUnnamed()) out->source = {};
  out->destination = DestinationOf(message);
  return 0;
}

}  // namespace socketeer::net
