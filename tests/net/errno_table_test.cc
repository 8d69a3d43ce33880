#include "server/net/errno_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <cstring>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace socketeer::net {
namespace {

using base::Code;
using ::testing::Contains;

// DESIGN.md section 4, written down a second time; any other errno: kFailedPrecondition.
const std::map<Code, std::vector<int>> kDesign = {
    {Code::kInvalidArgument,
     {EINVAL, EAFNOSUPPORT, EPROTONOSUPPORT, EMSGSIZE, ENAMETOOLONG, EDESTADDRREQ, EFAULT, EDOM}},
    {Code::kNotFound, {ENOENT, ENODEV, ENXIO, EADDRNOTAVAIL}},
    {Code::kAlreadyExists, {EADDRINUSE, EEXIST}},
    {Code::kPermissionDenied, {EACCES, EPERM, EROFS}},
    {Code::kResourceExhausted, {EMFILE, ENFILE, ENOBUFS, ENOMEM, ENOSPC, EDQUOT}},
    {Code::kUnimplemented, {EOPNOTSUPP, ENOPROTOOPT, ENOSYS, ESOCKTNOSUPPORT, EPFNOSUPPORT}},
    {Code::kFailedPrecondition,
     {ENOTCONN, EISCONN, EALREADY, EINPROGRESS, EAGAIN, ECONNREFUSED, EHOSTUNREACH, ENETUNREACH, EHOSTDOWN, ENETDOWN,
      ETIMEDOUT}},
    {Code::kAborted, {ECONNRESET, ECONNABORTED, EPIPE, ENETRESET, ESHUTDOWN}},
};

Code DesignCode(int number) {
  for (const auto& [code, numbers] : kDesign) {
    if (std::ranges::find(numbers, number) != numbers.end()) return code;
  }
  return Code::kFailedPrecondition;
}

struct ManualPage {
  const char* name;
  std::vector<int> errors;
};

// The ERRORS sections of man-pages 6.03; accept(2) with those that it passes on from the network.
const ManualPage kManual[] = {
    {"socket(2)", {EACCES, EAFNOSUPPORT, EINVAL, EMFILE, ENFILE, ENOBUFS, ENOMEM, EPROTONOSUPPORT}},
    {"bind(2)",
     {EACCES, EADDRINUSE, EBADF, EINVAL, ENOTSOCK, EADDRNOTAVAIL, EFAULT, ELOOP, ENAMETOOLONG, ENOENT, ENOMEM, ENOTDIR,
      EROFS}},
    {"connect(2)",
     {EACCES, EPERM, EADDRINUSE, EADDRNOTAVAIL, EAFNOSUPPORT, EAGAIN, EALREADY, EBADF, ECONNREFUSED, EFAULT,
      EINPROGRESS, EINTR, EISCONN, ENETUNREACH, ENOTSOCK, EPROTOTYPE, ETIMEDOUT}},
    {"listen(2)", {EADDRINUSE, EBADF, ENOTSOCK, EOPNOTSUPP}},
    {"accept(2)", {EAGAIN,    EWOULDBLOCK, EBADF,           ECONNABORTED,    EFAULT,    EINTR,      EINVAL,
                   EMFILE,    ENFILE,      ENOBUFS,         ENOMEM,          ENOTSOCK,  EOPNOTSUPP, EPERM,
                   EPROTO,    ENOSR,       ESOCKTNOSUPPORT, EPROTONOSUPPORT, ETIMEDOUT, ENETDOWN,   ENOPROTOOPT,
                   EHOSTDOWN, ENONET,      EHOSTUNREACH,    ENETUNREACH}},
    {"send(2)",
     {EACCES, EAGAIN, EWOULDBLOCK, EALREADY, EBADF, ECONNRESET, EDESTADDRREQ, EFAULT, EINTR, EINVAL, EISCONN, EMSGSIZE,
      ENOBUFS, ENOMEM, ENOTCONN, ENOTSOCK, EOPNOTSUPP, EPIPE}},
    {"recv(2)", {EAGAIN, EWOULDBLOCK, EBADF, ECONNREFUSED, EFAULT, EINTR, EINVAL, ENOMEM, ENOTCONN, ENOTSOCK}},
    {"shutdown(2)", {EBADF, EINVAL, ENOTCONN, ENOTSOCK}},
    {"close(2)", {EBADF, EINTR, EIO, ENOSPC, EDQUOT}},
    {"getsockopt(2)", {EBADF, EFAULT, EINVAL, ENOPROTOOPT, ENOTSOCK}},
    {"setsockopt(2)", {EBADF, EFAULT, EINVAL, ENOPROTOOPT, ENOTSOCK}},
    {"getsockname(2)", {EBADF, EFAULT, EINVAL, ENOBUFS, ENOTSOCK}},
    {"getpeername(2)", {EBADF, EFAULT, EINVAL, ENOBUFS, ENOTCONN, ENOTSOCK}},
    {"epoll_ctl(2)", {EBADF, EEXIST, EINVAL, ELOOP, ENOENT, ENOMEM, ENOSPC, EPERM}},
    {"ip(7)", {EACCES,      EADDRINUSE, EADDRNOTAVAIL, EAGAIN,  EALREADY, ECONNABORTED,   EHOSTUNREACH,
               EINVAL,      EISCONN,    EMSGSIZE,      ENOBUFS, ENOMEM,   ENOENT,         ENOPKG,
               ENOPROTOOPT, EOPNOTSUPP, ENOTCONN,      EPERM,   EPIPE,    ESOCKTNOSUPPORT}},
    {"ipv6(7)", {ENODEV}},
    {"tcp(7)", {EAFNOSUPPORT, EPIPE, ETIMEDOUT}},
    {"udp(7)", {ECONNREFUSED}},
    {"unix(7)",
     {EADDRINUSE, EBADF, ECONNREFUSED, ECONNRESET, EFAULT, EINVAL, EISCONN, ENFILE, ENOENT, ENOMEM, ENOTCONN,
      EOPNOTSUPP, EPERM, EPIPE, EPROTONOSUPPORT, EPROTOTYPE, ESOCKTNOSUPPORT, ESRCH, ETOOMANYREFS}},
    {"socket(7)", {}},  // it has no such section
};

TEST(ErrnoTable, HasEveryErrorOfTheManualWithTheDesignsCode) {
  for (const ManualPage& page : kManual) {
    for (int number : page.errors) {
      SCOPED_TRACE(std::string(page.name) + " " + ErrnoName(number));
      EXPECT_THAT(ErrnoTable(), Contains(::testing::Field(&ErrnoRow::number, number)));
      EXPECT_EQ(ErrnoCode(number), DesignCode(number));
    }
  }
}

TEST(ErrnoTable, IsTheWholeDesignAndNothingElse) {
  for (const ErrnoRow& row : ErrnoTable()) EXPECT_EQ(row.code, DesignCode(row.number)) << row.name;
}

TEST(ErrnoTable, HasEveryNumberOnceByItsName) {
  std::set<int> numbers;
  for (const ErrnoRow& row : ErrnoTable()) {
    EXPECT_STREQ(row.name, strerrorname_np(row.number));
    EXPECT_TRUE(numbers.insert(row.number).second) << row.name;
  }
  for (int number = 1; number <= EHWPOISON; ++number) {
    EXPECT_EQ(numbers.contains(number), strerrorname_np(number) != nullptr) << number;
  }
  EXPECT_EQ(numbers.size(), 131u);
  EXPECT_EQ(strerrorname_np(EHWPOISON + 1), nullptr) << "Linux has a new errno";
}

TEST(ErrnoTable, NoKernelErrorSpeaksOfTheRpc) {
  const std::set<Code> allowed = {Code::kInvalidArgument,    Code::kNotFound,         Code::kAlreadyExists,
                                  Code::kPermissionDenied,   Code::kAborted,          Code::kUnimplemented,
                                  Code::kFailedPrecondition, Code::kResourceExhausted};
  for (const ErrnoRow& row : ErrnoTable()) EXPECT_THAT(allowed, Contains(row.code)) << row.name;
}

TEST(ErrnoTable, AliasesHaveOneName) {
  EXPECT_EQ(ErrnoName(EWOULDBLOCK), "EAGAIN");
  EXPECT_EQ(ErrnoName(EDEADLOCK), "EDEADLK");
  EXPECT_EQ(ErrnoName(ENOTSUP), "EOPNOTSUPP");
}

TEST(ErrnoTable, NumbersThatLinuxDoesNotHave) {
  for (int number : {0, -1, 41, 58, 134, 512, 4095}) {
    EXPECT_EQ(ErrnoName(number), "E" + std::to_string(number));
    EXPECT_EQ(ErrnoCode(number), Code::kFailedPrecondition);
  }
  EXPECT_EQ(KernelError("send", "sendmsg", 4095).message, "send: Unknown error (E4095)");
}

TEST(KernelError, SaysWhatFailedAndHow) {
  const base::Error error = KernelError("send", "sendmsg", EPIPE);
  EXPECT_EQ(error.code, Code::kAborted);
  EXPECT_EQ(error.origin, base::Origin::kKernel);
  EXPECT_EQ(error.reason, "EPIPE");
  EXPECT_EQ(error.message, "send: Broken pipe (EPIPE)");
  EXPECT_EQ(error.operation, "send");
  EXPECT_EQ(error.system_call, "sendmsg");
  EXPECT_EQ(error.errno_number, EPIPE);
  EXPECT_EQ(KernelError("bind", "bind", EADDRINUSE).message, "bind: Address already in use (EADDRINUSE)");
}

}  // namespace
}  // namespace socketeer::net
