// Bytes through a plain TCP connection: to the far end itself, or to whatever forwards to it.
#pragma once

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <thread>
#include <vector>

#include "tests/bench/bulk_mover.h"

namespace socketeer::bench {

class TcpMover final : public Mover {
 public:
  TcpMover(int port, const Load& load) : load_(load), fd_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int on = 1;
    setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) < 0) Fail("cannot connect");
  }
  ~TcpMover() override {
    if (thread_.joinable()) thread_.join();
    close(fd_);
  }

  void Start() override {
    thread_ = std::thread([this] {
      load_.up ? Push() : Pull();
      Finished();
    });
  }

 private:
  void Push() const {
    const uint64_t nothing = 0;
    Write(&nothing, sizeof(nothing));
    for (uint64_t left = load_.bytes; left > 0;) {
      const size_t count = std::min<uint64_t>(left, load_.frame);
      Write(kZeros.data(), count);
      left -= count;
    }
    shutdown(fd_, SHUT_WR);
    char none;
    if (recv(fd_, &none, 1, 0) != 0) Fail("the far end did not take it all");
  }

  void Pull() const {
    Write(&load_.bytes, sizeof(load_.bytes));
    std::vector<char> buffer(std::max<size_t>(load_.frame, 256 << 10));
    uint64_t got = 0;
    while (true) {
      const ssize_t count = recv(fd_, buffer.data(), buffer.size(), 0);
      if (count < 0) Fail("cannot receive");
      if (count == 0) break;
      got += static_cast<uint64_t>(count);
    }
    if (got != load_.bytes) Fail("the far end sent " + std::to_string(got) + " bytes");
  }

  void Write(const void* data, size_t size) const {
    const char* at = static_cast<const char*>(data);
    while (size > 0) {
      const ssize_t count = send(fd_, at, size, MSG_NOSIGNAL);
      if (count < 0) Fail("cannot send");
      at += count;
      size -= static_cast<size_t>(count);
    }
  }

  const Load load_;
  const int fd_;
  std::thread thread_;
};

}  // namespace socketeer::bench
