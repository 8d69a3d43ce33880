#include "server/rpc/connections.h"

#include <arpa/inet.h>
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

#include "server/base/random.h"
#include "server/rpc/eviction.h"

namespace socketeer::rpc {
namespace {

// How soon to look again for a descriptor; a connection waits meanwhile in the kernel's backlog.
constexpr std::chrono::milliseconds kRetryAccept{50};

// Then others have their turn: who connects faster than we accept must not keep the loop.
constexpr int kAcceptedAtOnce = 256;

// While somebody floods us, we do not ask of each of hundreds of connections whether it is closed for each new one.
constexpr std::chrono::milliseconds kLookForClosed{10};

// Connections beyond the limit that are let in to be told so: one for so many within it, and one more. (A GOAWAY
// instead makes gRPC's clients reconnect at once, for ever.)
constexpr uint32_t kWithinLimitPerOneTold = 8;

Peer PeerAt(int fd, bool with_tls) {
  int domain = 0;
  socklen_t domain_size = sizeof(domain);
  if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &domain_size) < 0) return {};
  if (domain != AF_UNIX && with_tls) return {.transport = Transport::kTls, .identity = ""};
  if (domain != AF_UNIX) return {.transport = Transport::kPlainTcp, .identity = "anonymous", .proven = true};
  ucred peer{};
  socklen_t size = sizeof(peer);
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0) return {};
  return {.transport = Transport::kUnix, .identity = "uid:" + std::to_string(peer.uid), .proven = true};
}

// "ipv4:127.0.0.1:40123", "ipv6:[::1]:40123": as gRPC names the peer, but for its percent signs.
std::string NameOf(const sockaddr_storage& peer) {
  char text[INET6_ADDRSTRLEN] = "";
  if (peer.ss_family == AF_INET) {
    const auto& inet = reinterpret_cast<const sockaddr_in&>(peer);
    inet_ntop(AF_INET, &inet.sin_addr, text, sizeof(text));
    return "ipv4:" + std::string(text) + ":" + std::to_string(ntohs(inet.sin_port));
  }
  const auto& inet = reinterpret_cast<const sockaddr_in6&>(peer);
  const std::string port = std::to_string(ntohs(inet.sin6_port));
  if (IN6_IS_ADDR_V4MAPPED(&inet.sin6_addr)) {
    inet_ntop(AF_INET, &inet.sin6_addr.s6_addr[12], text, sizeof(text));
    return "ipv4:" + std::string(text) + ":" + port;
  }
  inet_ntop(AF_INET6, &inet.sin6_addr, text, sizeof(text));
  const std::string scope = inet.sin6_scope_id == 0 ? "" : "%" + std::to_string(inet.sin6_scope_id);
  return "ipv6:[" + std::string(text) + scope + "]:" + port;
}

std::string AddressOf(int fd) {
  sockaddr_storage address{};
  socklen_t size = sizeof(address);
  if (getpeername(fd, reinterpret_cast<sockaddr*>(&address), &size) < 0) return "unknown";
  if (address.ss_family != AF_UNIX) {
    const std::string name = NameOf(address);
    return name.substr(name.find(':') + 1);
  }
  ucred peer{};
  size = sizeof(peer);
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0 || size != sizeof(peer)) return "unknown";
  return "unix:uid=" + std::to_string(peer.uid) + ",pid=" + std::to_string(peer.pid);
}

// gRPC's peers are URIs: "%5B" is a bracket.
std::string PercentDecoded(const std::string& text) {
  std::string decoded;
  for (size_t i = 0; i < text.size(); ++i) {
    unsigned byte = 0;
    const char* const digits = text.data() + i + 1;
    if (text[i] == '%' && i + 2 < text.size() && std::from_chars(digits, digits + 2, byte, 16).ptr == digits + 2) {
      decoded += static_cast<char>(byte);
      i += 2;
    } else {
      decoded += text[i];
    }
  }
  return decoded;
}

// Caller::connection: the descriptor, and its inode, which tells it from a later one with the same number.
constexpr int kDescriptorBits = 20;  // base::kMaxDescriptors
uint64_t ConnectionOf(int fd, uint64_t inode) { return inode << kDescriptorBits | static_cast<uint64_t>(fd); }

int FdOf(uint64_t connection) { return static_cast<int>(connection & ((1 << kDescriptorBits) - 1)); }

// gRPC does not close a connection before all is written; who reads nothing would keep it for ever.
void EndWhenNothingIsRead(int fd) {
  const unsigned limit = kPingTimeout.count();
  setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &limit, sizeof(limit));  // a UNIX socket has none
}

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
    for (int taken = 0; listener_.fd; ++taken) {
      if (taken == kAcceptedAtOnce) return GoOnLater();
      base::Fd accepted(accept4(listener_.fd.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
      if (accepted.get() >= 0) {
        owner_.Queue(std::move(accepted));
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

  void GoOnLater() {
    if (std::exchange(goes_on_, true)) return;
    owner_.loop_.Post([this] {
      goes_on_ = false;
      AcceptAll();
    });
  }

  Connections& owner_;
  Listener listener_;
  net::WatchId watch_ = 0;
  net::TimerId retry_ = 0;
  bool goes_on_ = false;  // it is posted
};

// Accepted, and not yet handed over: of the descriptors that are nobody's (kDescriptorSlack).
constexpr uint32_t kMaxQueued = 128;

Connections::Connections(net::EventLoop& loop, uint32_t max_connections, int first_fd, int end_fd)
    : loop_(loop),
      max_connections_(max_connections),
      first_fd_(first_fd),
      end_fd_(end_fd),
      next_fd_(first_fd),
      queue_(std::min(max_connections, kMaxQueued), base::RandomBelow) {}

Connections::~Connections() = default;

base::Status Connections::Serve(std::vector<Listener> listeners, grpc::Server* server, TlsAcceptor tls) {
  server_ = server;
  tls_ = std::move(tls);
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

void Connections::Queue(base::Fd accepted) {
  sockaddr_storage peer{};
  socklen_t size = sizeof(peer);
  if (tls_ == nullptr || getpeername(accepted.get(), reinterpret_cast<sockaddr*>(&peer), &size) < 0 ||
      peer.ss_family == AF_UNIX) {
    return Admit(std::move(accepted));
  }
  if (queue_.empty()) loop_.Post([this] { AdmitNext(); });
  queue_.Push(SourceOf(peer), std::move(accepted));
}

// gRPC makes the first step of the handshake at once, on this thread: most of a millisecond. Between two of them, those
// that came meanwhile are accepted.
void Connections::AdmitNext() {
  Admit(queue_.Pop());
  if (!queue_.empty()) loop_.Post([this] { AdmitNext(); });
}

void Connections::Admit(base::Fd accepted) {
  counters_.accepted.Add();
  Connection made{.peer = PeerAt(accepted.get(), tls_ != nullptr)};
  const bool tls = made.peer.transport == Transport::kTls;
  if (tls) {
    sockaddr_storage peer{};
    socklen_t size = sizeof(peer);
    if (getpeername(accepted.get(), reinterpret_cast<sockaddr*>(&peer), &size) < 0) return;  // it is gone
    made.name = NameOf(peer);
    made.source = SourceOf(peer);
  }
  made.peer.address = std::make_shared<const std::string>(AddressOf(accepted.get()));
  int fd = -1;
  {
    std::lock_guard lock(mutex_);
    if (!HasRoom()) MakeRoom();
    made.peer.over_limit = !HasRoom();
    if (made.peer.over_limit) counters_.over_limit.Add();
    if (made.peer.over_limit && over_limit_ > max_connections_ / kWithinLimitPerOneTold) return;
    // From one address to two of our listeners, or NAT made it look so: calls could not be told apart.
    if (tls && by_name_.contains(made.name) && IsOpen(by_name_[made.name])) return;
    fd = Renumber(accepted.get());
    if (fd < 0) return;
    Forget(fd);  // a number that comes again takes the place of a connection that was closed unnoticed
    made.socket = InodeOf(fd);
    made.peer.connection = ConnectionOf(fd, made.socket);
    if (tls) by_name_[made.name] = fd;
    if (made.peer.over_limit) ++over_limit_;
    connections_[fd] = std::move(made);
  }
  accepted.reset();
  EndWhenNothingIsRead(fd);
  HandOver(fd, tls);
}

void Connections::HandOver(int fd, bool tls) {
  if (!tls) return grpc::AddInsecureChannelFromFd(server_, fd);
  grpc::experimental::ExternalConnectionAcceptor::NewConnectionParameters parameters;
  parameters.fd = fd;
  tls_->HandleNewConnection(&parameters);
}

bool Connections::HasRoom() const { return connections_.size() < max_connections_ + over_limit_; }

bool Connections::IsOpen(int fd) const {
  const auto found = connections_.find(fd);
  if (found == connections_.end() || InodeOf(fd) != found->second.socket) return false;
  tcp_info tcp{};
  socklen_t size = sizeof(tcp);
  return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &tcp, &size) == 0 && tcp.tcpi_state == TCP_ESTABLISHED;
}

void Connections::MakeRoom() {
  const base::MonotonicTime now = loop_.Now();
  if (now - looked_for_closed_ >= kLookForClosed) {
    looked_for_closed_ = now;
    ForgetClosed();
  }
  if (!HasRoom()) CutOffOne();
  if (!HasRoom()) ForgetClosed();
}

void Connections::CutOffOne() {
  std::vector<Unproven> unproven;
  for (const auto& [fd, each] : connections_) {
    // One that is over the limit leaves no room behind.
    if (!each.peer.proven && !each.peer.over_limit) unproven.push_back({fd, &each.source});
  }
  const int victim = ChooseVictim(unproven, base::RandomBelow);
  if (victim < 0) return;
  // gRPC closes it when it sees that. The number is still its own: we alone give out those of the range.
  shutdown(victim, SHUT_RDWR);
  counters_.cut_off.Add();
  Forget(victim);
}

void Connections::Forget(int fd) {
  const auto found = connections_.find(fd);
  if (found == connections_.end()) return;
  if (found->second.peer.over_limit) --over_limit_;
  if (const auto named = by_name_.find(found->second.name); named != by_name_.end() && named->second == fd) {
    by_name_.erase(named);
  }
  connections_.erase(found);
}

void Connections::ForgetClosed() {
  std::vector<int> closed;
  for (const auto& [fd, connection] : connections_) {
    if (InodeOf(fd) != connection.socket) closed.push_back(fd);
  }
  for (const int fd : closed) Forget(fd);
}

Connections::Found Connections::Find(const std::string& peer) {
  constexpr std::string_view kPrefix = "fd:";
  int fd = -1;
  if (peer.starts_with(kPrefix)) {
    std::from_chars(peer.data() + kPrefix.size(), peer.data() + peer.size(), fd);
  } else if (const auto named = by_name_.find(PercentDecoded(peer)); named != by_name_.end()) {
    fd = named->second;
  }
  return connections_.find(fd);
}

Peer Connections::PeerOf(const std::string& peer) {
  std::lock_guard lock(mutex_);
  auto found = Find(peer);
  if (found != connections_.end() && found->second.peer.over_limit) {
    ForgetClosed();  // is there room by now?
    found = Find(peer);
    if (found != connections_.end() && HasRoom()) {
      found->second.peer.over_limit = false;
      --over_limit_;
    }
  }
  if (found == connections_.end()) return {};
  return found->second.peer;
}

void Connections::Prove(uint64_t connection) {
  std::lock_guard lock(mutex_);
  const auto found = connections_.find(FdOf(connection));
  if (found != connections_.end() && found->second.peer.connection == connection) found->second.peer.proven = true;
}

std::optional<base::MonotonicTime> Connections::Heard(uint64_t connection) {
  const int fd = FdOf(connection);
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
