// A TCP echo server on a free port of 127.0.0.1, which it prints. One thread; any number of connections.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <vector>

#include "tests/bench/listen.h"

namespace socketeer::bench {
namespace {

void Watch(int epoll, int fd) {
  epoll_event event{.events = EPOLLIN, .data = {.fd = fd}};
  Must(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event), "epoll_ctl");
}

void Accept(int epoll, int listener) {
  const int fd = Must(accept(listener, nullptr, nullptr), "accept");
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  Watch(epoll, fd);
}

void Echo(int fd, std::vector<char>& buffer) {
  const ssize_t count = recv(fd, buffer.data(), buffer.size(), 0);
  if (count <= 0 || send(fd, buffer.data(), static_cast<size_t>(count), MSG_NOSIGNAL) < count) close(fd);
}

void Serve() {
  const int listener = Listen();
  const int epoll = Must(epoll_create1(0), "epoll_create1");
  Watch(epoll, listener);
  std::vector<char> buffer(64 << 10);
  std::vector<epoll_event> events(64);
  while (true) {
    const int count = epoll_wait(epoll, events.data(), static_cast<int>(events.size()), -1);
    for (int i = 0; i < count; ++i) {
      const int fd = events[static_cast<size_t>(i)].data.fd;
      fd == listener ? Accept(epoll, listener) : Echo(fd, buffer);
    }
  }
}

}  // namespace
}  // namespace socketeer::bench

int main() { socketeer::bench::Serve(); }
