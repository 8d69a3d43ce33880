#include "server/rpc/connections.h"

#include <fcntl.h>
#include <grpcpp/server_posix.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <string_view>
#include <utility>

namespace socketeer::rpc {
namespace {

// How soon to look again for a descriptor; a connection waits meanwhile in the kernel's backlog.
constexpr std::chrono::milliseconds kRetryAccept{50};

// Connections beyond the limit that are let in to be told so: one for so many within it, and one more. (A GOAWAY
// instead makes gRPC's clients reconnect at once, for ever.)
constexpr uint32_t kWithinLimitPerOneTold = 8;

std::string IdentityOfPeer(int fd) {
  ucred peer{};
  socklen_t size = sizeof(peer);
  int domain = 0;
  socklen_t domain_size = sizeof(domain);
  getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &domain_size);
  if (domain != AF_UNIX) return "anonymous";
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0) return "";
  return "uid:" + std::to_string(peer.uid);
}

// Caller::connection: the descriptor, and its inode, which tells it from a later one with the same number.
constexpr int kDescriptorBits = 20;  // base::kMaxDescriptors
uint64_t ConnectionOf(int fd, uint64_t inode) { return inode << kDescriptorBits | static_cast<uint64_t>(fd); }

uint64_t InodeOf(int fd) {
  struct stat found {};
  return fstat(fd, &found) == 0 && S_ISSOCK(found.st_mode) ? found.st_ino : 0;
}

}  // namespace

// One listener on the loop.
class Connections::Acceptor : public net::EventHandler {
 public:
  Acceptor(Connections& owner, Listener listener) : owner_(owner), listener_(std::move(listener)) {}

  base::Status Start() {
    auto watch = owner_.loop_.Watch(listener_.fd.get(), EPOLLIN, this);
    if (!watch.ok()) return std::move(watch).error();
    watch_ = *watch;
    return base::Ok();
  }

  void Stop() {
    if (listener_.fd.get() < 0) return;
    if (retry_ != 0) owner_.loop_.CancelTimer(retry_);
    owner_.loop_.Unwatch(watch_, listener_.fd.get());
    listener_.path.Remove(owner_.loop_.syscalls());
    listener_.fd.reset();
  }

  void OnEvents(uint32_t) override { AcceptAll(); }

 private:
  void AcceptAll() {
    if (retry_ != 0) owner_.loop_.CancelTimer(std::exchange(retry_, 0));
    while (listener_.fd) {
      base::Fd accepted(accept4(listener_.fd.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
      if (accepted.get() >= 0) {
        std::string identity = IdentityOfPeer(accepted.get());
        owner_.Admit(std::move(accepted), std::move(identity));
        continue;
      }
      if (errno == EAGAIN || errno == EBADF || errno == EINVAL) return;
      if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
        // No new edge will come for those that wait already.
        retry_ = owner_.loop_.RunAt(owner_.loop_.Now() + kRetryAccept, [this] { AcceptAll(); });
        return;
      }
      // ECONNABORTED and its like speak of one connection: on to the next.
    }
  }

  Connections& owner_;
  Listener listener_;
  net::WatchId watch_ = 0;
  net::TimerId retry_ = 0;
};

Connections::Connections(net::EventLoop& loop, uint32_t max_connections, int first_fd, int end_fd)
    : loop_(loop), max_connections_(max_connections), first_fd_(first_fd), end_fd_(end_fd), next_fd_(first_fd) {}

Connections::~Connections() = default;

base::Status Connections::Serve(std::vector<Listener> listeners, grpc::Server* server) {
  server_ = server;
  for (Listener& listener : listeners) {
    acceptors_.push_back(std::make_unique<Acceptor>(*this, std::move(listener)));
    if (auto status = acceptors_.back()->Start(); !status.ok()) return status;
  }
  return base::Ok();
}

void Connections::StopListening() {
  for (const auto& acceptor : acceptors_) acceptor->Stop();
}

int Connections::Renumber(int fd) {
  for (int tries = 0; tries < 2; ++tries) {
    const int renumbered = fcntl(fd, F_DUPFD_CLOEXEC, next_fd_);
    if (renumbered >= 0 && renumbered < end_fd_) {
      next_fd_ = renumbered + 1 < end_fd_ ? renumbered + 1 : first_fd_;
      return renumbered;
    }
    if (renumbered >= 0) base::Fd unwanted(renumbered);
    next_fd_ = first_fd_;
  }
  return -1;
}

void Connections::Admit(base::Fd accepted, std::string identity) {
  int fd = -1;
  {
    std::lock_guard lock(mutex_);
    if (!HasRoom()) ForgetClosed();
    const bool over_limit = !HasRoom();
    if (over_limit && over_limit_ > max_connections_ / kWithinLimitPerOneTold) return;  // closes it
    fd = Renumber(accepted.get());
    if (fd < 0) return;
    // A number that comes again takes the place of a connection that was closed unnoticed.
    if (const auto old = connections_.find(fd); old != connections_.end() && old->second.caller.over_limit)
      --over_limit_;
    const uint64_t inode = InodeOf(fd);
    connections_[fd] = {.socket = inode, .caller = {std::move(identity), ConnectionOf(fd, inode), over_limit}};
    if (over_limit) ++over_limit_;
  }
  accepted.reset();
  grpc::AddInsecureChannelFromFd(server_, fd);
}

bool Connections::HasRoom() const { return connections_.size() < max_connections_ + over_limit_; }

void Connections::ForgetClosed() {
  std::erase_if(connections_, [this](const auto& entry) {
    const bool closed = InodeOf(entry.first) != entry.second.socket;
    if (closed && entry.second.caller.over_limit) --over_limit_;
    return closed;
  });
}

Caller Connections::CallerOf(const std::string& peer) {
  constexpr std::string_view kPrefix = "fd:";
  int fd = -1;
  if (peer.starts_with(kPrefix)) {
    std::from_chars(peer.data() + kPrefix.size(), peer.data() + peer.size(), fd);
  }
  std::lock_guard lock(mutex_);
  auto found = connections_.find(fd);
  if (found != connections_.end() && found->second.caller.over_limit) {
    ForgetClosed();  // is there room by now?
    found = connections_.find(fd);
    if (found != connections_.end() && HasRoom()) {
      found->second.caller.over_limit = false;
      --over_limit_;
    }
  }
  return found == connections_.end() ? Caller{} : found->second.caller;
}

std::optional<base::MonotonicTime> Connections::Heard(uint64_t connection) {
  const int fd = static_cast<int>(connection & ((1 << kDescriptorBits) - 1));
  if (connection == 0 || ConnectionOf(fd, InodeOf(fd)) != connection) return std::nullopt;
  const base::MonotonicTime now = loop_.Now();
  tcp_info tcp{};
  socklen_t size = sizeof(tcp);
  if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &tcp, &size) == 0) {
    return now - std::chrono::milliseconds(tcp.tcpi_last_data_recv);  // the answers to our pings
  }
  // A UNIX socket tells only what its peer has not read yet: while that is nothing, it has read the last ping.
  int unread = 0;
  if (ioctl(fd, SIOCOUTQ, &unread) < 0 || unread > 0) return std::nullopt;
  return now - kPingInterval;
}

uint32_t Connections::Count() {
  std::lock_guard lock(mutex_);
  ForgetClosed();
  return static_cast<uint32_t>(connections_.size());
}

}  // namespace socketeer::rpc
