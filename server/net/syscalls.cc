#include "server/net/syscalls.h"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace socketeer::net {

int Syscalls::Socket(int family, int type, int protocol) { return ::socket(family, type, protocol); }

int Syscalls::Bind(int fd, const sockaddr* address, socklen_t size) { return ::bind(fd, address, size); }

int Syscalls::Connect(int fd, const sockaddr* address, socklen_t size) { return ::connect(fd, address, size); }

int Syscalls::Listen(int fd, int backlog) { return ::listen(fd, backlog); }

int Syscalls::Accept4(int fd, sockaddr* address, socklen_t* size, int flags) {
  return ::accept4(fd, address, size, flags);
}

ssize_t Syscalls::SendMsg(int fd, const msghdr* message, int flags) { return ::sendmsg(fd, message, flags); }

ssize_t Syscalls::RecvMsg(int fd, msghdr* message, int flags) { return ::recvmsg(fd, message, flags); }

int Syscalls::SendMMsg(int fd, mmsghdr* messages, unsigned count, int flags) {
  return ::sendmmsg(fd, messages, count, flags);
}

int Syscalls::RecvMMsg(int fd, mmsghdr* messages, unsigned count, int flags) {
  return ::recvmmsg(fd, messages, count, flags, nullptr);
}

int Syscalls::Shutdown(int fd, int how) { return ::shutdown(fd, how); }

int Syscalls::Close(int fd) { return ::close(fd); }

int Syscalls::GetSockOpt(int fd, int level, int name, void* value, socklen_t* size) {
  return ::getsockopt(fd, level, name, value, size);
}

int Syscalls::SetSockOpt(int fd, int level, int name, const void* value, socklen_t size) {
  return ::setsockopt(fd, level, name, value, size);
}

int Syscalls::GetSockName(int fd, sockaddr* address, socklen_t* size) { return ::getsockname(fd, address, size); }

int Syscalls::GetPeerName(int fd, sockaddr* address, socklen_t* size) { return ::getpeername(fd, address, size); }

int Syscalls::Poll(pollfd* fds, nfds_t count, int timeout_ms) { return ::poll(fds, count, timeout_ms); }

int Syscalls::BytesReadable(int fd, int* count) { return ::ioctl(fd, FIONREAD, count); }

int Syscalls::InterfaceName(int fd, ifreq* request) { return ::ioctl(fd, SIOCGIFNAME, request); }

int Syscalls::Open(const char* path, int flags) { return ::open(path, flags); }

ssize_t Syscalls::ReadLink(const char* path, char* buffer, size_t size) { return ::readlink(path, buffer, size); }

int Syscalls::FStatAt(int folder, const char* path, struct stat* out, int flags) {
  return ::fstatat(folder, path, out, flags);
}

int Syscalls::UnlinkAt(int folder, const char* path) { return ::unlinkat(folder, path, 0); }

int Syscalls::EpollCreate1(int flags) { return ::epoll_create1(flags); }

int Syscalls::EpollCtl(int epoll, int op, int fd, epoll_event* event) { return ::epoll_ctl(epoll, op, fd, event); }

int Syscalls::EpollWait(int epoll, epoll_event* events, int capacity, int timeout_ms) {
  return ::epoll_wait(epoll, events, capacity, timeout_ms);
}

int Syscalls::EventFd(unsigned int initial, int flags) { return ::eventfd(initial, flags); }

Syscalls& KernelSyscalls() {
  static Syscalls& syscalls = *new Syscalls;  // never destroyed: threads may outlive static objects
  return syscalls;
}

}  // namespace socketeer::net
