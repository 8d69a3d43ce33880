#include "client/lib/probe_connection.h"

#include <netdb.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <memory>
#include <system_error>
#include <thread>

namespace socketeer::internal {
namespace {

// A question to the resolver, which has no limit of its own and cannot be called off: a thread waits for its answer,
// and whoever asked need not. Owned by both.
struct Lookup {
  ~Lookup() {
    if (found != nullptr) freeaddrinfo(found);
    if (done >= 0) close(done);
  }

  const int done = eventfd(0, EFD_CLOEXEC);  // readable: `found` is set
  std::atomic<addrinfo*> found{nullptr};
};

addrinfo* Resolve(const std::string& host, const std::string& port, int flags) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = flags;
  addrinfo* found = nullptr;
  return getaddrinfo(host.c_str(), port.c_str(), &hints, &found) == 0 ? found : nullptr;
}

// Null: no thread can be had.
std::shared_ptr<Lookup> StartLookup(const std::string& host, const std::string& port) {
  auto lookup = std::make_shared<Lookup>();
  if (lookup->done < 0) return nullptr;
  lookup->found = Resolve(host, port, AI_NUMERICHOST);  // an address needs nobody's answer
  if (lookup->found != nullptr) {
    eventfd_write(lookup->done, 1);
    return lookup;
  }
  try {
    std::thread([lookup, host, port] {
      lookup->found = Resolve(host, port, 0);
      eventfd_write(lookup->done, 1);
    }).detach();
  } catch (const std::system_error&) {
    return nullptr;
  }
  return lookup;
}

}  // namespace

ProbeConnection::ProbeConnection(absl::Duration within, Cancellation* cancellation)
    : deadline_(std::chrono::steady_clock::now() + absl::ToChronoMilliseconds(within)),
      cancelled_(eventfd(0, EFD_CLOEXEC)) {
  scope_.emplace(cancellation, [fd = cancelled_] { eventfd_write(fd, 1); });
}

ProbeConnection::~ProbeConnection() {
  if (fd_ >= 0) close(fd_);
  scope_.reset();  // or it might write to what comes after
  if (cancelled_ >= 0) close(cancelled_);
}

bool ProbeConnection::Await(int fd, short events) const {
  while (true) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline_ - std::chrono::steady_clock::now());
    pollfd fds[] = {{.fd = fd, .events = events, .revents = 0}, {.fd = cancelled_, .events = POLLIN, .revents = 0}};
    const int ready = poll(fds, 2, static_cast<int>(std::max<int64_t>(left.count(), 0)));
    if (ready < 0 && errno == EINTR) continue;
    return ready > 0 && fds[1].revents == 0;
  }
}

bool ProbeConnection::Connect(const std::string& host, const std::string& port) {
  const auto lookup = StartLookup(host, port);
  if (lookup == nullptr || !Await(lookup->done, POLLIN)) return false;
  for (const addrinfo* each = lookup->found; each != nullptr; each = each->ai_next) {
    if (ConnectTo(*each)) return true;
  }
  return false;
}

bool ProbeConnection::ConnectTo(const addrinfo& address) {
  if (fd_ >= 0) close(fd_);
  fd_ = socket(address.ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd_ < 0) return false;
  if (connect(fd_, address.ai_addr, address.ai_addrlen) == 0) return true;
  if (errno != EINPROGRESS || !Await(fd_, POLLOUT)) return false;
  int number = 0;
  socklen_t size = sizeof(number);
  return getsockopt(fd_, SOL_SOCKET, SO_ERROR, &number, &size) == 0 && number == 0;
}

void ProbeConnection::Send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent >= 0) {
      bytes.remove_prefix(static_cast<size_t>(sent));
    } else if (errno != EINTR && (errno != EAGAIN || !Await(fd_, POLLOUT))) {
      return;
    }
  }
}

ProbeConnection::Received ProbeConnection::Receive(std::string* bytes) {
  char buffer[4096];
  while (Await(fd_, POLLIN)) {
    const ssize_t count = recv(fd_, buffer, sizeof(buffer), 0);
    if (count > 0) bytes->assign(buffer, static_cast<size_t>(count));
    if (count > 0) return Received::kBytes;
    if (count == 0 || (errno != EAGAIN && errno != EINTR)) return Received::kEnd;
  }
  return Received::kNothing;
}

}  // namespace socketeer::internal
