// Stands between callers and a daemon's UNIX socket, and cuts the connections when it is told to: in the middle of what
// the daemon answers; or carries nothing more, as a network does that is gone. One thread of its own.
#pragma once

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "server/base/fd.h"

namespace socketeer::testing {

class CuttingProxy {
 public:
  // Both are paths.
  CuttingProxy(const std::string& listen, std::string daemon)
      : daemon_(std::move(daemon)),
        listener_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)),
        stop_(::eventfd(0, EFD_CLOEXEC)) {
    const sockaddr_un address = AddressOf(listen);
    EXPECT_EQ(::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
    EXPECT_EQ(::listen(listener_.get(), 16), 0);
    thread_ = std::thread([this] { Run(); });
  }
  CuttingProxy(const CuttingProxy&) = delete;
  CuttingProxy& operator=(const CuttingProxy&) = delete;
  ~CuttingProxy() {
    const uint64_t one = 1;
    EXPECT_EQ(::write(stop_.get(), &one, sizeof(one)), static_cast<ssize_t>(sizeof(one)));
    thread_.join();
  }

  // The connections end when the daemon has sent so many bytes more; those still arrive. -1: they do not.
  void CutAfter(int64_t bytes) { left_.store(bytes); }
  // They have not ended yet.
  bool armed() const { return left_.load() >= 0; }
  // How often they have.
  uint64_t cuts() const { return cuts_.load(); }
  // The connections stay open, and from now on nothing passes by them; new ones are carried.
  void FallSilent() { silence_.store(true); }

 private:
  struct Pair {
    base::Fd caller, daemon;
  };

  static sockaddr_un AddressOf(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.data(), std::min(path.size(), sizeof(address.sun_path) - 1));
    return address;
  }

  void Run() {
    while (true) {
      std::vector<pollfd> polled = {{.fd = stop_.get(), .events = POLLIN, .revents = 0},
                                    {.fd = listener_.get(), .events = POLLIN, .revents = 0}};
      for (const Pair& pair : pairs_) {
        polled.push_back({.fd = pair.caller.get(), .events = POLLIN, .revents = 0});
        polled.push_back({.fd = pair.daemon.get(), .events = POLLIN, .revents = 0});
      }
      ::poll(polled.data(), polled.size(), -1);
      if (polled[0].revents != 0) return;
      if (silence_.exchange(false)) {
        for (Pair& pair : pairs_) silent_.push_back(std::move(pair));
        pairs_.clear();
      }
      for (size_t i = pairs_.size(); i-- > 0;) {
        Pair& pair = pairs_[i];
        const bool up = polled[2 + 2 * i].revents == 0 || Carry(pair.caller.get(), pair.daemon.get(), false);
        const bool down = !up || polled[3 + 2 * i].revents == 0 || Carry(pair.daemon.get(), pair.caller.get(), true);
        if (!up || !down) pairs_.erase(pairs_.begin() + static_cast<std::ptrdiff_t>(i));
      }
      if (polled[1].revents != 0) Accept();
    }
  }

  void Accept() {
    Pair pair;
    pair.caller.reset(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    pair.daemon.reset(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const sockaddr_un address = AddressOf(daemon_);
    EXPECT_EQ(::connect(pair.daemon.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
    pairs_.push_back(std::move(pair));
  }

  // False: the connection is over.
  bool Carry(int from, int to, bool answers) {
    char buffer[65'536];
    ssize_t got = ::read(from, buffer, sizeof(buffer));
    if (got <= 0) return false;
    const int64_t left = answers ? left_.load() : -1;
    const bool cut = left >= 0 && got >= left;
    if (cut) got = static_cast<ssize_t>(left);
    if (left >= 0) left_.store(cut ? -1 : left - got);
    if (cut) cuts_.fetch_add(1);
    for (ssize_t done = 0; done < got;) {
      const ssize_t sent = ::send(to, buffer + done, static_cast<size_t>(got - done), MSG_NOSIGNAL);
      if (sent < 0) return false;
      done += sent;
    }
    return !cut;
  }

  const std::string daemon_;
  const base::Fd listener_;
  const base::Fd stop_;
  std::atomic<int64_t> left_{-1};
  std::atomic<uint64_t> cuts_{0};
  std::atomic<bool> silence_{false};
  std::vector<Pair> pairs_, silent_;  // of the thread
  std::thread thread_;
};

}  // namespace socketeer::testing
