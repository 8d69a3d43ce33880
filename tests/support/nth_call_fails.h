// The kernel, but that one call fails, on demand, without having been made.
//
// Whichever thread makes it: a socket's calls are made in its loop's turn, which any thread may have. epoll_wait(2) is
// not counted, because how often a loop turns is not the test's to say; InterruptWaits() is for it.
#pragma once

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "server/net/syscalls.h"
#include "tests/support/manual_pages.h"

namespace socketeer::testing {

struct CallMade {
  std::string call;  // as errors name it: "setsockopt"
  int level = 0;     // of the option
  int detail = 0;    // the option; the operation of epoll_ctl(2)
  int number = 0;    // the errno that it was made to answer; 0: none
};

class NthCallFails final : public net::Syscalls {
 public:
  // From now on the `n`th call (1 is the next) fails with the `which`th errno (from 0) of its manual page. Nothing
  // fails when there is no such errno, or n is 0.
  void Arm(size_t n, size_t which) {
    std::lock_guard lock(mutex_);
    armed_ = true;
    nth_ = n;
    which_ = which;
    failed_.reset();
    calls_.clear();
  }
  // What failed since Arm(); nothing does any more.
  std::optional<CallMade> Disarm() {
    std::lock_guard lock(mutex_);
    armed_ = false;
    return failed_;
  }
  // Returns when such a call was made since Arm(), whether it failed or not.
  void AwaitCall(std::string_view call) {
    std::unique_lock lock(mutex_);
    called_.wait(lock, [&] {
      return std::any_of(calls_.begin(), calls_.end(), [&](const CallMade& each) { return each.call == call; });
    });
  }
  // Those made since Arm().
  std::vector<CallMade> calls() {
    std::lock_guard lock(mutex_);
    return calls_;
  }
  // A stream takes and gives at most so many bytes in one call, as it may at any time. 0: no limit.
  void LimitTransfers(size_t bytes) {
    std::lock_guard lock(mutex_);
    most_ = bytes;
  }
  // Every second epoll_wait(2), of any thread, is interrupted.
  void InterruptWaits(bool on) {
    std::lock_guard lock(mutex_);
    interrupts_ = on;
  }
  // The thread that made the last close(2).
  std::thread::id last_closer() {
    std::lock_guard lock(mutex_);
    return last_closer_;
  }

  int Socket(int family, int type, int protocol) override {
    return Fails("socket") ? -1 : Syscalls::Socket(family, type, protocol);
  }
  int Bind(int fd, const sockaddr* address, socklen_t size) override {
    return Fails("bind") ? -1 : Syscalls::Bind(fd, address, size);
  }
  int Connect(int fd, const sockaddr* address, socklen_t size) override {
    return Fails("connect") ? -1 : Syscalls::Connect(fd, address, size);
  }
  int Listen(int fd, int backlog) override { return Fails("listen") ? -1 : Syscalls::Listen(fd, backlog); }
  int Accept4(int fd, sockaddr* address, socklen_t* size, int flags) override {
    return Fails("accept4") ? -1 : Syscalls::Accept4(fd, address, size, flags);
  }
  ssize_t SendMsg(int fd, const msghdr* message, int flags) override {
    if (Fails("sendmsg")) return -1;
    iovec part;
    const msghdr shorter = Shortened(fd, *message, &part);
    return Syscalls::SendMsg(fd, &shorter, flags);
  }
  ssize_t RecvMsg(int fd, msghdr* message, int flags) override {
    if (Fails("recvmsg")) return -1;
    iovec part;
    msghdr shorter = Shortened(fd, *message, &part);
    const ssize_t count = Syscalls::RecvMsg(fd, &shorter, flags);
    shorter.msg_iov = message->msg_iov;
    *message = shorter;
    return count;
  }
  int SendMMsg(int fd, mmsghdr* messages, unsigned count, int flags) override {
    return Fails("sendmmsg") ? -1 : Syscalls::SendMMsg(fd, messages, count, flags);
  }
  int RecvMMsg(int fd, mmsghdr* messages, unsigned count, int flags) override {
    return Fails("recvmmsg") ? -1 : Syscalls::RecvMMsg(fd, messages, count, flags);
  }
  int Shutdown(int fd, int how) override { return Fails("shutdown") ? -1 : Syscalls::Shutdown(fd, how); }
  // As Linux does: the descriptor is closed, whatever it answers.
  int Close(int fd) override {
    {
      std::lock_guard lock(mutex_);
      last_closer_ = std::this_thread::get_id();
    }
    const bool fails = Fails("close");
    const int error = errno;
    const int closed = Syscalls::Close(fd);
    if (!fails) return closed;
    errno = error;
    return -1;
  }
  int GetSockOpt(int fd, int level, int name, void* value, socklen_t* size) override {
    return Fails("getsockopt", level, name) ? -1 : Syscalls::GetSockOpt(fd, level, name, value, size);
  }
  int SetSockOpt(int fd, int level, int name, const void* value, socklen_t size) override {
    return Fails("setsockopt", level, name) ? -1 : Syscalls::SetSockOpt(fd, level, name, value, size);
  }
  int GetSockName(int fd, sockaddr* address, socklen_t* size) override {
    return Fails("getsockname") ? -1 : Syscalls::GetSockName(fd, address, size);
  }
  int GetPeerName(int fd, sockaddr* address, socklen_t* size) override {
    return Fails("getpeername") ? -1 : Syscalls::GetPeerName(fd, address, size);
  }
  int Poll(pollfd* fds, nfds_t count, int timeout_ms) override {
    return Fails("poll") ? -1 : Syscalls::Poll(fds, count, timeout_ms);
  }
  int BytesReadable(int fd, int* count) override { return Fails("ioctl") ? -1 : Syscalls::BytesReadable(fd, count); }
  int InterfaceName(int fd, ifreq* request) override {
    return Fails("ioctl") ? -1 : Syscalls::InterfaceName(fd, request);
  }
  int Open(const char* path, int flags) override {
    return Fails("open", 0, flags & O_DIRECTORY) ? -1 : Syscalls::Open(path, flags);
  }
  ssize_t ReadLink(const char* path, char* buffer, size_t size) override {
    return Fails("readlink") ? -1 : Syscalls::ReadLink(path, buffer, size);
  }
  int FStatAt(int folder, const char* path, struct stat* out, int flags) override {
    return Fails("fstatat", 0, flags) ? -1 : Syscalls::FStatAt(folder, path, out, flags);
  }
  int UnlinkAt(int folder, const char* path) override {
    return Fails("unlinkat") ? -1 : Syscalls::UnlinkAt(folder, path);
  }
  int EpollCreate1(int flags) override { return Fails("epoll_create1") ? -1 : Syscalls::EpollCreate1(flags); }
  int EpollCtl(int epoll, int op, int fd, epoll_event* event) override {
    return Fails("epoll_ctl", 0, op) ? -1 : Syscalls::EpollCtl(epoll, op, fd, event);
  }
  int EpollWait(int epoll, epoll_event* events, int capacity, int timeout_ms) override {
    {
      std::lock_guard lock(mutex_);
      if (interrupts_ && ++waits_ % 2 == 0) {
        errno = EINTR;
        return -1;
      }
    }
    return Syscalls::EpollWait(epoll, events, capacity, timeout_ms);
  }
  int EventFd(unsigned int initial, int flags) override {
    return Fails("eventfd") ? -1 : Syscalls::EventFd(initial, flags);
  }

 private:
  bool Fails(const char* call, int level = 0, int detail = 0) {
    std::lock_guard lock(mutex_);
    if (!armed_) return false;
    calls_.push_back({.call = call, .level = level, .detail = detail});
    called_.notify_all();
    const std::vector<int>& errnos = ErrnosOf(call);
    if (calls_.size() != nth_ || which_ >= errnos.size()) return false;
    failed_ = calls_.back();
    failed_->number = errnos[which_];
    errno = failed_->number;
    return true;
  }

  msghdr Shortened(int fd, const msghdr& message, iovec* part) {
    msghdr out = message;
    std::lock_guard lock(mutex_);
    int type = 0;
    socklen_t size = sizeof(type);
    if (most_ == 0 || message.msg_iovlen != 1 || message.msg_iov->iov_len <= most_) return out;
    if (::getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) < 0 || type != SOCK_STREAM) return out;
    *part = {.iov_base = message.msg_iov->iov_base, .iov_len = most_};
    out.msg_iov = part;
    return out;
  }

  std::mutex mutex_;  // guards all below
  std::condition_variable called_;
  bool armed_ = false;
  size_t nth_ = 0;
  size_t which_ = 0;
  std::optional<CallMade> failed_;
  std::vector<CallMade> calls_;
  size_t most_ = 0;
  bool interrupts_ = false;
  unsigned waits_ = 0;
  std::thread::id last_closer_;
};

}  // namespace socketeer::testing
