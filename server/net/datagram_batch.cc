// How datagrams come in many at once, for an attached stream.
#include "server/net/datagram_batch.h"

#include <linux/sock_diag.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "server/base/limits.h"
#include "server/net/socket.h"

namespace socketeer::net {
namespace {

// Room for each: no UDP datagram is larger (the length has 16 bits).
constexpr size_t kSlotBytes = 65'536;
constexpr size_t kControlBytes = 128;  // the daemon asks for one address
static_assert(kDatagramsAtOnce * kSlotBytes <= base::kMaxPayloadBytes, "the loop's scratch holds a batch");

// What recvmmsg(2) writes to: payloads to the loop's scratch, the rest here.
struct Slots {
  explicit Slots(char* scratch) {
    for (size_t i = 0; i < kDatagramsAtOnce; ++i) {
      parts[i] = {.iov_base = scratch + i * kSlotBytes, .iov_len = kSlotBytes};
      msghdr& message = messages[i].msg_hdr;
      message = {};
      message.msg_name = &sources[i];
      message.msg_namelen = sizeof(sources[i]);
      message.msg_iov = &parts[i];
      message.msg_iovlen = 1;
      message.msg_control = controls[i];
      message.msg_controllen = kControlBytes;
    }
  }
  IncomingDatagram At(size_t i) {
    msghdr& message = messages[i].msg_hdr;
    IncomingDatagram datagram;
    datagram.payload.assign(static_cast<const char*>(parts[i].iov_base), messages[i].msg_len);
    datagram.true_size = messages[i].msg_len;
    datagram.source = SocketAddress::FromKernel(&sources[i], message.msg_namelen);
    datagram.destination = DestinationOf(message);
    return datagram;
  }

  std::array<mmsghdr, kDatagramsAtOnce> messages;
  std::array<iovec, kDatagramsAtOnce> parts;
  std::array<sockaddr_storage, kDatagramsAtOnce> sources;
  alignas(cmsghdr) char controls[kDatagramsAtOnce][kControlBytes];
};

}  // namespace

void CloseDescriptors(Syscalls& syscalls, msghdr& message) {
  for (cmsghdr* part = CMSG_FIRSTHDR(&message); part; part = CMSG_NXTHDR(&message, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    for (size_t at = 0; at + sizeof(int) <= part->cmsg_len - CMSG_LEN(0); at += sizeof(int)) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(part) + at, sizeof(fd));
      syscalls.Close(fd);
    }
  }
}

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

base::Result<int> Socket::TakeDatagrams(size_t most, bool* drained) {
  *drained = false;
  constexpr uint64_t kCost = kSlotBytes + base::kDatagramOverhead;
  // Of UNIX sockets a datagram may be of any size, and one that does not fit is lost: one at a time, into all there is.
  // As many as the owner may move at once, should they be large.
  most = std::max<size_t>(AtOnce(most * kSlotBytes, true) / kSlotBytes, 1);
  const uint64_t count = info_.kind.IsInet() ? std::min(most, kDatagramsAtOnce) : 0;
  const auto room = count > 0 ? kept().charge.Reserve(kCost, count * kCost) : base::Result<uint64_t>(uint64_t{0});
  if (!room.ok() || *room == 0) {
    auto one = TakeDatagram();
    if (!one.ok() || *one < 0) return one;
    return *one == 0 ? 1 : 0;
  }
  const auto wanted = static_cast<unsigned>(*room / kCost);
  Slots slots(loop_.scratch());
  const int got = syscalls().RecvMMsg(fd_, slots.messages.data(), wanted, MSG_DONTWAIT);
  const int number = errno;
  uint64_t bytes = 0;
  for (int i = 0; i < got; ++i) {
    datagrams().Append(slots.At(static_cast<size_t>(i)));
    bytes += slots.messages[static_cast<size_t>(i)].msg_len;
  }
  NoteRetained();
  if (got > 0) {
    CountReceived(bytes, static_cast<uint64_t>(got));
    *drained = static_cast<unsigned>(got) < wanted;
  }
  errno = number;
  return got;
}

bool Socket::KeepFailure(int number) {
  if (auto room = kept().charge.Reserve(base::kDatagramOverhead, base::kDatagramOverhead); !room.ok()) return false;
  IncomingDatagram failure;
  failure.error = number;
  datagrams().Append(std::move(failure));
  NoteRetained();
  return true;
}

uint64_t Socket::CountDropped() {
  if (!info_.kind.IsInet()) return 0;  // a full UNIX socket makes its senders wait
  uint32_t memory[SK_MEMINFO_VARS] = {};
  socklen_t size = sizeof(memory);
  uint64_t& dropped = kept().dropped;
  if (syscalls().GetSockOpt(fd_, SOL_SOCKET, SO_MEMINFO, memory, &size) < 0) return dropped;  // told the next time
  // The kernel's counter has 32 bits, and begins anew at 0.
  dropped += memory[SK_MEMINFO_DROPS] - static_cast<uint32_t>(dropped);
  return dropped;
}

}  // namespace socketeer::net
