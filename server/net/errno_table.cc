#include "server/net/errno_table.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace socketeer::net {
namespace {

// What the caller asked for is wrong, missing, taken, forbidden, too much or unknown here; a
// connection that broke is kAborted. Everything else is the state of the socket, the host or the
// network: kFailedPrecondition.
#define ROW(name, code) \
  { name, #name, base::Code::code }
constexpr ErrnoRow kErrnoRows[] = {
    ROW(EPERM, kPermissionDenied),
    ROW(ENOENT, kNotFound),
    ROW(ESRCH, kFailedPrecondition),
    ROW(EINTR, kFailedPrecondition),
    ROW(EIO, kFailedPrecondition),
    ROW(ENXIO, kNotFound),
    ROW(E2BIG, kFailedPrecondition),
    ROW(ENOEXEC, kFailedPrecondition),
    ROW(EBADF, kFailedPrecondition),
    ROW(ECHILD, kFailedPrecondition),
    ROW(EAGAIN, kFailedPrecondition),  // also EWOULDBLOCK
    ROW(ENOMEM, kResourceExhausted),
    ROW(EACCES, kPermissionDenied),
    ROW(EFAULT, kInvalidArgument),
    ROW(ENOTBLK, kFailedPrecondition),
    ROW(EBUSY, kFailedPrecondition),
    ROW(EEXIST, kAlreadyExists),
    ROW(EXDEV, kFailedPrecondition),
    ROW(ENODEV, kNotFound),
    ROW(ENOTDIR, kFailedPrecondition),
    ROW(EISDIR, kFailedPrecondition),
    ROW(EINVAL, kInvalidArgument),
    ROW(ENFILE, kResourceExhausted),
    ROW(EMFILE, kResourceExhausted),
    ROW(ENOTTY, kFailedPrecondition),
    ROW(ETXTBSY, kFailedPrecondition),
    ROW(EFBIG, kFailedPrecondition),
    ROW(ENOSPC, kResourceExhausted),
    ROW(ESPIPE, kFailedPrecondition),
    ROW(EROFS, kPermissionDenied),
    ROW(EMLINK, kFailedPrecondition),
    ROW(EPIPE, kAborted),
    ROW(EDOM, kInvalidArgument),
    ROW(ERANGE, kFailedPrecondition),
    ROW(EDEADLK, kFailedPrecondition),  // also EDEADLOCK
    ROW(ENAMETOOLONG, kInvalidArgument),
    ROW(ENOLCK, kFailedPrecondition),
    ROW(ENOSYS, kUnimplemented),
    ROW(ENOTEMPTY, kFailedPrecondition),
    ROW(ELOOP, kFailedPrecondition),
    ROW(ENOMSG, kFailedPrecondition),
    ROW(EIDRM, kFailedPrecondition),
    ROW(ECHRNG, kFailedPrecondition),
    ROW(EL2NSYNC, kFailedPrecondition),
    ROW(EL3HLT, kFailedPrecondition),
    ROW(EL3RST, kFailedPrecondition),
    ROW(ELNRNG, kFailedPrecondition),
    ROW(EUNATCH, kFailedPrecondition),
    ROW(ENOCSI, kFailedPrecondition),
    ROW(EL2HLT, kFailedPrecondition),
    ROW(EBADE, kFailedPrecondition),
    ROW(EBADR, kFailedPrecondition),
    ROW(EXFULL, kFailedPrecondition),
    ROW(ENOANO, kFailedPrecondition),
    ROW(EBADRQC, kFailedPrecondition),
    ROW(EBADSLT, kFailedPrecondition),
    ROW(EBFONT, kFailedPrecondition),
    ROW(ENOSTR, kFailedPrecondition),
    ROW(ENODATA, kFailedPrecondition),
    ROW(ETIME, kFailedPrecondition),
    ROW(ENOSR, kFailedPrecondition),
    ROW(ENONET, kFailedPrecondition),
    ROW(ENOPKG, kFailedPrecondition),
    ROW(EREMOTE, kFailedPrecondition),
    ROW(ENOLINK, kFailedPrecondition),
    ROW(EADV, kFailedPrecondition),
    ROW(ESRMNT, kFailedPrecondition),
    ROW(ECOMM, kFailedPrecondition),
    ROW(EPROTO, kFailedPrecondition),
    ROW(EMULTIHOP, kFailedPrecondition),
    ROW(EDOTDOT, kFailedPrecondition),
    ROW(EBADMSG, kFailedPrecondition),
    ROW(EOVERFLOW, kFailedPrecondition),
    ROW(ENOTUNIQ, kFailedPrecondition),
    ROW(EBADFD, kFailedPrecondition),
    ROW(EREMCHG, kFailedPrecondition),
    ROW(ELIBACC, kFailedPrecondition),
    ROW(ELIBBAD, kFailedPrecondition),
    ROW(ELIBSCN, kFailedPrecondition),
    ROW(ELIBMAX, kFailedPrecondition),
    ROW(ELIBEXEC, kFailedPrecondition),
    ROW(EILSEQ, kFailedPrecondition),
    ROW(ERESTART, kFailedPrecondition),
    ROW(ESTRPIPE, kFailedPrecondition),
    ROW(EUSERS, kFailedPrecondition),
    ROW(ENOTSOCK, kFailedPrecondition),
    ROW(EDESTADDRREQ, kInvalidArgument),
    ROW(EMSGSIZE, kInvalidArgument),
    ROW(EPROTOTYPE, kFailedPrecondition),
    ROW(ENOPROTOOPT, kUnimplemented),
    ROW(EPROTONOSUPPORT, kInvalidArgument),
    ROW(ESOCKTNOSUPPORT, kUnimplemented),
    ROW(EOPNOTSUPP, kUnimplemented),  // also ENOTSUP
    ROW(EPFNOSUPPORT, kUnimplemented),
    ROW(EAFNOSUPPORT, kInvalidArgument),
    ROW(EADDRINUSE, kAlreadyExists),
    ROW(EADDRNOTAVAIL, kNotFound),
    ROW(ENETDOWN, kFailedPrecondition),
    ROW(ENETUNREACH, kFailedPrecondition),
    ROW(ENETRESET, kAborted),
    ROW(ECONNABORTED, kAborted),
    ROW(ECONNRESET, kAborted),
    ROW(ENOBUFS, kResourceExhausted),
    ROW(EISCONN, kFailedPrecondition),
    ROW(ENOTCONN, kFailedPrecondition),
    ROW(ESHUTDOWN, kAborted),
    ROW(ETOOMANYREFS, kFailedPrecondition),
    ROW(ETIMEDOUT, kFailedPrecondition),
    ROW(ECONNREFUSED, kFailedPrecondition),
    ROW(EHOSTDOWN, kFailedPrecondition),
    ROW(EHOSTUNREACH, kFailedPrecondition),
    ROW(EALREADY, kFailedPrecondition),
    ROW(EINPROGRESS, kFailedPrecondition),
    ROW(ESTALE, kFailedPrecondition),
    ROW(EUCLEAN, kFailedPrecondition),
    ROW(ENOTNAM, kFailedPrecondition),
    ROW(ENAVAIL, kFailedPrecondition),
    ROW(EISNAM, kFailedPrecondition),
    ROW(EREMOTEIO, kFailedPrecondition),
    ROW(EDQUOT, kResourceExhausted),
    ROW(ENOMEDIUM, kFailedPrecondition),
    ROW(EMEDIUMTYPE, kFailedPrecondition),
    ROW(ECANCELED, kFailedPrecondition),
    ROW(ENOKEY, kFailedPrecondition),
    ROW(EKEYEXPIRED, kFailedPrecondition),
    ROW(EKEYREVOKED, kFailedPrecondition),
    ROW(EKEYREJECTED, kFailedPrecondition),
    ROW(EOWNERDEAD, kFailedPrecondition),
    ROW(ENOTRECOVERABLE, kFailedPrecondition),
    ROW(ERFKILL, kFailedPrecondition),
    ROW(EHWPOISON, kFailedPrecondition),
};
#undef ROW
static_assert(std::ranges::is_sorted(kErrnoRows, {}, &ErrnoRow::number));

const ErrnoRow* Find(int number) {
  const ErrnoRow* row = std::ranges::lower_bound(kErrnoRows, number, {}, &ErrnoRow::number);
  return row != std::end(kErrnoRows) && row->number == number ? row : nullptr;
}

}  // namespace

std::span<const ErrnoRow> ErrnoTable() { return kErrnoRows; }

std::string ErrnoName(int number) {
  const ErrnoRow* row = Find(number);
  return row != nullptr ? row->name : "E" + std::to_string(number);
}

base::Code ErrnoCode(int number) {
  const ErrnoRow* row = Find(number);
  return row != nullptr ? row->code : base::Code::kFailedPrecondition;
}

base::Error KernelError(std::string operation, std::string system_call, int number) {
  const char* description = strerrordesc_np(number);  // unlike strerror: thread-safe and always English
  base::Error error;
  error.code = ErrnoCode(number);
  error.origin = base::Origin::kKernel;
  error.reason = ErrnoName(number);
  error.message =
      operation + ": " + (description != nullptr ? description : "Unknown error") + " (" + error.reason + ")";
  error.operation = std::move(operation);
  error.system_call = std::move(system_call);
  error.errno_number = number;
  return error;
}

}  // namespace socketeer::net
