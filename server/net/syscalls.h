// The seam to the kernel: every system call that the daemon makes on or for a socket. Each function is the call of its
// name: same arguments, -1 and errno on failure. Thread-safe. Tests inject one that fails the Nth call; nothing else
// about the kernel is ever faked.
#pragma once

#include <net/if.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>

namespace socketeer::net {

class Syscalls {
 public:
  virtual ~Syscalls() = default;

  virtual int Socket(int family, int type, int protocol);
  virtual int Bind(int fd, const sockaddr* address, socklen_t size);
  virtual int Connect(int fd, const sockaddr* address, socklen_t size);
  virtual int Listen(int fd, int backlog);
  virtual int Accept4(int fd, sockaddr* address, socklen_t* size, int flags);
  virtual ssize_t SendMsg(int fd, const msghdr* message, int flags);
  virtual ssize_t RecvMsg(int fd, msghdr* message, int flags);
  virtual int SendMMsg(int fd, mmsghdr* messages, unsigned count, int flags);
  virtual int RecvMMsg(int fd, mmsghdr* messages, unsigned count, int flags);  // without a timeout
  virtual int Shutdown(int fd, int how);
  virtual int Close(int fd);
  virtual int GetSockOpt(int fd, int level, int name, void* value, socklen_t* size);
  virtual int SetSockOpt(int fd, int level, int name, const void* value, socklen_t size);
  virtual int GetSockName(int fd, sockaddr* address, socklen_t* size);
  virtual int GetPeerName(int fd, sockaddr* address, socklen_t* size);
  virtual int Poll(pollfd* fds, nfds_t count, int timeout_ms);
  virtual int BytesReadable(int fd, int* count);      // ioctl(FIONREAD)
  virtual int InterfaceName(int fd, ifreq* request);  // ioctl(SIOCGIFNAME)
  virtual int Open(const char* path, int flags);
  virtual ssize_t ReadLink(const char* path, char* buffer, size_t size);
  virtual int FStatAt(int folder, const char* path, struct stat* out, int flags);
  virtual int UnlinkAt(int folder, const char* path);

  virtual int EpollCreate1(int flags);
  virtual int EpollCtl(int epoll, int op, int fd, epoll_event* event);
  virtual int EpollWait(int epoll, epoll_event* events, int capacity, int timeout_ms);
  virtual int EventFd(unsigned int initial, int flags);
};

// The kernel itself; lives for ever.
Syscalls& KernelSyscalls();

}  // namespace socketeer::net
