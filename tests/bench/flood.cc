// The far end of bulk transfers: a TCP source and sink on a free port of 127.0.0.1, which it prints. One thread; any
// number of connections.
//
// The first eight bytes of a connection, little-endian, say how many it is to send; all that come behind them are
// thrown away. When both sides have ended, it closes. Of a connection that asks for kReadNothing nothing more is read.
#include "tests/bench/flood.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <unordered_map>
#include <vector>

#include "tests/bench/listen.h"

namespace socketeer::bench {
namespace {

class Peer {
 public:
  Peer() : listener_(Listen()), epoll_(Must(epoll_create1(0), "epoll_create1")), buffer_(256 << 10) {
    Watch(EPOLL_CTL_ADD, listener_, EPOLLIN);
  }

  void Run() {
    std::vector<epoll_event> events(64);
    while (true) {
      const int count = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), -1);
      for (int i = 0; i < count; ++i) Handle(events[static_cast<size_t>(i)]);
    }
  }

 private:
  struct Connection {
    char asked[sizeof(uint64_t)] = {};
    size_t heard = 0;  // of `asked`
    uint64_t to_send = 0;
    bool read_over = false;
  };

  void Watch(int operation, int fd, uint32_t what) const {
    epoll_event event{.events = what, .data = {.fd = fd}};
    Must(epoll_ctl(epoll_, operation, fd, &event), "epoll_ctl");
  }

  void Accept() {
    const int fd = Must(accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK), "accept");
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    connections_[fd] = {};
    Watch(EPOLL_CTL_ADD, fd, EPOLLIN);
  }

  void Handle(const epoll_event& event) {
    const int fd = event.data.fd;
    if (fd == listener_) return Accept();
    Connection& connection = connections_.at(fd);
    if ((event.events & EPOLLOUT) != 0 && !Send(fd, connection)) return Close(fd);
    if ((event.events & (EPOLLIN | EPOLLHUP | EPOLLERR)) == 0) return;
    const size_t wanted = connection.heard < sizeof(uint64_t) ? sizeof(uint64_t) - connection.heard : buffer_.size();
    const ssize_t count = recv(fd, buffer_.data(), wanted, 0);
    if (count < 0 && errno == EAGAIN) return;
    if (count < 0) return Close(fd);
    if (count == 0) return EndOfStream(fd, connection);
    if (connection.heard < sizeof(uint64_t)) Hear(fd, connection, static_cast<size_t>(count));
  }

  void Hear(int fd, Connection& connection, size_t count) {
    std::memcpy(connection.asked + connection.heard, buffer_.data(), count);
    connection.heard += count;
    if (connection.heard < sizeof(uint64_t)) return;
    std::memcpy(&connection.to_send, connection.asked, sizeof(uint64_t));
    if (connection.to_send == kReadNothing) {
      connection.to_send = 0;
      Watch(EPOLL_CTL_MOD, fd, 0);
    } else if (connection.to_send > 0) {
      Watch(EPOLL_CTL_MOD, fd, EPOLLIN | EPOLLOUT);
    }
  }

  // False: it is over.
  bool Send(int fd, Connection& connection) {
    const ssize_t count =
        send(fd, buffer_.data(), std::min<uint64_t>(buffer_.size(), connection.to_send), MSG_NOSIGNAL);
    if (count < 0) return errno == EAGAIN;
    connection.to_send -= static_cast<uint64_t>(count);
    if (connection.to_send > 0) return true;
    shutdown(fd, SHUT_WR);
    if (connection.read_over) return false;
    Watch(EPOLL_CTL_MOD, fd, EPOLLIN);
    return true;
  }

  void EndOfStream(int fd, Connection& connection) {
    connection.read_over = true;
    if (connection.to_send == 0) return Close(fd);
    Watch(EPOLL_CTL_MOD, fd, EPOLLOUT);
  }

  void Close(int fd) {
    connections_.erase(fd);
    close(fd);
  }

  const int listener_;
  const int epoll_;
  std::vector<char> buffer_;
  std::unordered_map<int, Connection> connections_;
};

}  // namespace
}  // namespace socketeer::bench

int main() { socketeer::bench::Peer().Run(); }
