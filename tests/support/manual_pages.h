// What each system call of the seam may answer: every errno that its Linux manual page lists (section 2, and socket(7),
// tcp(7), ip(7), unix(7), netdevice(7) where those add to it), and what the kernel gives beyond its pages.
#pragma once

#include <cerrno>
#include <string_view>
#include <vector>

namespace socketeer::testing {

struct ManualPage {
  std::string_view call;
  std::vector<int> errnos;
};

inline const std::vector<ManualPage>& ManualPages() {
  static const std::vector<ManualPage> pages = {
      {"socket", {EACCES, EAFNOSUPPORT, EINVAL, EMFILE, ENFILE, ENOBUFS, ENOMEM, EPROTONOSUPPORT}},
      // EINTR: of a UNIX socket, whose lock another thread has (net/unix/af_unix.c). ENODEV: a scope (ipv6(7)).
      {"bind",
       {EACCES, EADDRINUSE, EADDRNOTAVAIL, EBADF, EFAULT, EINTR, EINVAL, ELOOP, ENAMETOOLONG, ENODEV, ENOENT, ENOMEM,
        ENOSPC, ENOTDIR, ENOTSOCK, EPERM, EROFS}},
      {"connect",
       {EACCES, EADDRINUSE, EADDRNOTAVAIL, EAFNOSUPPORT, EAGAIN, EALREADY, EBADF, ECONNREFUSED, EFAULT, EHOSTUNREACH,
        EINPROGRESS, EINTR, EISCONN, ENETUNREACH, ENOTSOCK, EPERM, EPROTOTYPE, ETIMEDOUT}},
      {"listen", {EADDRINUSE, EBADF, ENOTSOCK, EOPNOTSUPP}},
      {"accept4", {EAGAIN, EBADF,    ECONNABORTED, EFAULT, EHOSTDOWN, EHOSTUNREACH,    EINTR,           EINVAL,
                   EMFILE, ENETDOWN, ENETUNREACH,  ENFILE, ENOBUFS,   ENOMEM,          ENONET,          ENOPROTOOPT,
                   ENOSR,  ENOTSOCK, EOPNOTSUPP,   EPERM,  EPROTO,    EPROTONOSUPPORT, ESOCKTNOSUPPORT, ETIMEDOUT}},
      {"sendmsg", {EACCES,   EAGAIN,       EALREADY,   EBADF,   ECONNREFUSED, ECONNRESET,  EDESTADDRREQ, EFAULT,
                   EINTR,    EHOSTUNREACH, EINVAL,     EISCONN, EMSGSIZE,     ENETUNREACH, ENOBUFS,      ENOMEM,
                   ENOTCONN, ENOTSOCK,     EOPNOTSUPP, EPERM,   EPIPE,        ETIMEDOUT}},
      {"recvmsg",
       {EAGAIN, EBADF, ECONNREFUSED, ECONNRESET, EFAULT, EHOSTUNREACH, EINTR, EINVAL, ENOMEM, ENOTCONN, ENOTSOCK,
        ETIMEDOUT}},
      // Of its first message; later ones only end the batch.
      {"sendmmsg", {EACCES,   EAGAIN,       EALREADY,   EBADF,   ECONNREFUSED, ECONNRESET,  EDESTADDRREQ, EFAULT,
                    EINTR,    EHOSTUNREACH, EINVAL,     EISCONN, EMSGSIZE,     ENETUNREACH, ENOBUFS,      ENOMEM,
                    ENOTCONN, ENOTSOCK,     EOPNOTSUPP, EPERM,   EPIPE,        ETIMEDOUT}},
      {"recvmmsg",
       {EAGAIN, EBADF, ECONNREFUSED, ECONNRESET, EFAULT, EHOSTUNREACH, EINTR, EINVAL, ENOMEM, ENOTCONN, ENOTSOCK,
        ETIMEDOUT}},
      {"shutdown", {EBADF, EINVAL, ENOTCONN, ENOTSOCK}},
      {"close", {EBADF, EDQUOT, EINTR, EIO, ENOSPC}},
      {"getsockopt", {EBADF, EFAULT, EINVAL, ENOPROTOOPT, ENOTSOCK, EOPNOTSUPP}},
      {"setsockopt", {EBADF, EDOM, EFAULT, EINVAL, ENODEV, ENOMEM, ENOPROTOOPT, ENOTSOCK, EPERM}},
      {"getsockname", {EBADF, EFAULT, EINVAL, ENOBUFS, ENOTSOCK}},
      {"getpeername", {EBADF, EFAULT, EINVAL, ENOBUFS, ENOTCONN, ENOTSOCK}},
      {"poll", {EFAULT, EINTR, EINVAL, ENOMEM}},
      {"ioctl", {EBADF, EFAULT, EINVAL, ENODEV, ENOTTY, EPERM}},
      // Of open(2) with O_PATH, and of stat(2) by a descriptor.
      {"open", {EACCES, EBADF, EFAULT, EINTR, EINVAL, ELOOP, EMFILE, ENAMETOOLONG, ENFILE, ENOENT, ENOMEM, ENOTDIR}},
      {"readlink", {EACCES, EFAULT, EINVAL, EIO, ELOOP, ENAMETOOLONG, ENOENT, ENOMEM, ENOTDIR}},
      {"fstatat", {EACCES, EBADF, EFAULT, EINVAL, ELOOP, ENAMETOOLONG, ENOENT, ENOMEM, ENOTDIR, EOVERFLOW}},
      {"unlinkat", {EACCES, EBUSY, EFAULT, EIO, EISDIR, ELOOP, ENAMETOOLONG, ENOENT, ENOMEM, ENOTDIR, EPERM, EROFS}},
      {"epoll_create1", {EINVAL, EMFILE, ENFILE, ENOMEM}},
      {"epoll_ctl", {EBADF, EEXIST, EINVAL, ELOOP, ENOENT, ENOMEM, ENOSPC, EPERM}},
      {"eventfd", {EINVAL, EMFILE, ENFILE, ENODEV, ENOMEM}},
      // epoll_wait(2) has more, but they all say that the daemon passed it nonsense; a loop could do nothing about
      // them.
      {"epoll_wait", {EINTR}},
  };
  return pages;
}

inline const std::vector<int>& ErrnosOf(std::string_view call) {
  static const std::vector<int> none;
  for (const ManualPage& page : ManualPages()) {
    if (page.call == call) return page.errnos;
  }
  return none;
}

}  // namespace socketeer::testing
