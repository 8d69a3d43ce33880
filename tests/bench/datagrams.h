// Local UDP sockets that send and receive as fast as they can, in batches (datagrams.cc).
#pragma once

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

namespace socketeer::bench {

inline int MustWork(int result, const char* what) {
  if (result >= 0) return result;
  std::perror(what);
  std::exit(1);
}

// On 127.0.0.1, a free port.
class UdpSocket {
 public:
  UdpSocket() : fd_(MustWork(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket")) {
    sockaddr_in address = Loopback(0);
    MustWork(bind(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)), "bind");
    socklen_t size = sizeof(address);
    MustWork(getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size), "getsockname");
    port_ = ntohs(address.sin_port);
  }
  ~UdpSocket() { close(fd_); }
  UdpSocket(const UdpSocket&) = delete;
  UdpSocket& operator=(const UdpSocket&) = delete;

  void Connect(int port) const {
    const sockaddr_in address = Loopback(port);
    MustWork(connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), "connect");
  }
  int fd() const { return fd_; }
  int port() const { return port_; }

 private:
  static sockaddr_in Loopback(int port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
  }
  const int fd_;
  int port_ = 0;
};

// What one call of sendmmsg(2) or recvmmsg(2) moves.
class Batch {
 public:
  Batch(size_t count, size_t size) : bytes_(count * size), parts_(count), messages_(count) {
    for (size_t i = 0; i < count; ++i) {
      parts_[i] = {.iov_base = bytes_.data() + i * size, .iov_len = size};
      messages_[i] = {};
      messages_[i].msg_hdr.msg_iov = &parts_[i];
      messages_[i].msg_hdr.msg_iovlen = 1;
    }
  }
  void Send(int fd) { sendmmsg(fd, messages_.data(), count(), 0); }  // a full or a closed far end is not our concern
  // How many came; 0 when none does for a while.
  int Receive(int fd) {
    pollfd wait{.fd = fd, .events = POLLIN, .revents = 0};
    if (poll(&wait, 1, 20) <= 0) return 0;
    const int got = recvmmsg(fd, messages_.data(), count(), MSG_DONTWAIT, nullptr);
    return got < 0 ? 0 : got;
  }

 private:
  unsigned count() const { return static_cast<unsigned>(messages_.size()); }
  std::vector<char> bytes_;
  std::vector<iovec> parts_;
  std::vector<mmsghdr> messages_;
};

// A thread that sends to `port` until destroyed.
class Sender {
 public:
  Sender(int port, size_t batch, size_t size) {
    socket_.Connect(port);
    thread_ = std::thread([this, batch, size] {
      Batch messages(batch, size);
      while (!stop_) messages.Send(socket_.fd());
    });
  }
  ~Sender() {
    stop_ = true;
    thread_.join();
  }

 private:
  const UdpSocket socket_;
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

// A thread that counts what comes until destroyed.
class Receiver {
 public:
  Receiver(size_t batch, size_t size) {
    thread_ = std::thread([this, batch, size] {
      Batch messages(batch, size);
      while (!stop_) received_ += static_cast<uint64_t>(messages.Receive(socket_.fd()));
    });
  }
  ~Receiver() {
    stop_ = true;
    thread_.join();
  }
  int port() const { return socket_.port(); }
  uint64_t received() const { return received_; }

 private:
  const UdpSocket socket_;
  std::atomic<bool> stop_{false};
  std::atomic<uint64_t> received_{0};
  std::thread thread_;
};

}  // namespace socketeer::bench
