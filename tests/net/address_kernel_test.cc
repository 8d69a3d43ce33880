// What goes into bind(2) comes back from getsockname(2) as the same address.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "server/base/fd.h"
#include "server/net/address.h"
#include "server/net/syscalls.h"
#include "tests/support/temp_dir.h"

namespace socketeer::net {
namespace {

using base::Fd;
using namespace std::string_literals;

Fd NewSocket(int family, int type) { return Fd(KernelSyscalls().Socket(family, type | SOCK_CLOEXEC, 0)); }

// 0 or errno.
int Bind(const Fd& fd, const SocketAddress& address) {
  return KernelSyscalls().Bind(fd.get(), address.data(), address.size()) == 0 ? 0 : errno;
}
int Connect(const Fd& fd, const SocketAddress& address) {
  return KernelSyscalls().Connect(fd.get(), address.data(), address.size()) == 0 ? 0 : errno;
}

template <auto kCall>
SocketAddress NameOf(const Fd& fd) {
  sockaddr_storage storage;
  std::memset(&storage, 0xee, sizeof(storage));  // what the kernel did not write is not part of the address
  socklen_t size = sizeof(storage);
  EXPECT_EQ((KernelSyscalls().*kCall)(fd.get(), reinterpret_cast<sockaddr*>(&storage), &size), 0);
  return SocketAddress::FromKernel(&storage, size);
}
constexpr auto LocalOf = NameOf<&Syscalls::GetSockName>;
constexpr auto PeerOf = NameOf<&Syscalls::GetPeerName>;

class UnixAddress : public ::testing::TestWithParam<int> {
 protected:
  // A path of exactly `size` bytes.
  std::string PathOf(size_t size) const {
    const std::string front = dir_.path() + "/";
    return front + std::string(size - front.size(), 'p');
  }

  testing::TempDir dir_;
};

INSTANTIATE_TEST_SUITE_P(EveryType, UnixAddress, ::testing::Values(SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET));

TEST_P(UnixAddress, PathsUpTo108BytesComeBack) {
  for (size_t size : {40, 106, 107, 108}) {
    SCOPED_TRACE(size);
    const SocketAddress address = *SocketAddress::UnixPath(PathOf(size));
    const Fd fd = NewSocket(AF_UNIX, GetParam());
    ASSERT_EQ(Bind(fd, address), 0);
    EXPECT_EQ(LocalOf(fd), address);
    EXPECT_EQ(access(PathOf(size).c_str(), F_OK), 0);
  }
}

TEST_P(UnixAddress, APathOf108BytesIsAPeer) {
  const SocketAddress address = *SocketAddress::UnixPath(PathOf(108));
  const Fd server = NewSocket(AF_UNIX, GetParam());
  ASSERT_EQ(Bind(server, address), 0);
  if (GetParam() != SOCK_DGRAM) {
    ASSERT_EQ(KernelSyscalls().Listen(server.get(), 1), 0);
  }
  const Fd client = NewSocket(AF_UNIX, GetParam());
  ASSERT_EQ(Connect(client, address), 0);
  EXPECT_EQ(PeerOf(client), address);
}

TEST_P(UnixAddress, AbstractNamesKeepTheirNuls) {
  const std::string unique = "socketeer-" + std::to_string(getpid()) + "-" + std::to_string(GetParam());
  for (const std::string& name :
       {unique, unique + "\0"s, unique + "\0\0x"s, "\0"s + unique, unique + std::string(107 - unique.size(), '\0')}) {
    SCOPED_TRACE(SocketAddress::UnixAbstract(name)->ToString());
    const SocketAddress address = *SocketAddress::UnixAbstract(name);
    const Fd fd = NewSocket(AF_UNIX, GetParam());
    ASSERT_EQ(Bind(fd, address), 0);
    EXPECT_EQ(LocalOf(fd), address);
    EXPECT_EQ(LocalOf(fd).unix_name(), name);
  }
}

TEST_P(UnixAddress, UnnamedUntilBoundAndAutobindChooses) {
  const Fd fd = NewSocket(AF_UNIX, GetParam());
  EXPECT_EQ(LocalOf(fd), SocketAddress::UnixUnnamed());
  ASSERT_EQ(Bind(fd, SocketAddress::UnixUnnamed()), 0);
  EXPECT_TRUE(LocalOf(fd).IsUnixAbstract());
  EXPECT_EQ(LocalOf(fd).unix_name().size(), 5u);
}

TEST_P(UnixAddress, APairIsUnnamedOnBothSides) {
  int fds[2];
  ASSERT_EQ(socketpair(AF_UNIX, GetParam() | SOCK_CLOEXEC, 0, fds), 0);
  const Fd one(fds[0]), other(fds[1]);
  EXPECT_TRUE(LocalOf(one).IsUnixUnnamed());
  EXPECT_TRUE(PeerOf(one).IsUnixUnnamed());
}

struct InetCase {
  const char* ip;
  int type;
};

class InetAddress : public ::testing::TestWithParam<InetCase> {};

INSTANTIATE_TEST_SUITE_P(EveryKind, InetAddress,
                         ::testing::Values(InetCase{"127.0.0.1", SOCK_STREAM}, InetCase{"127.0.0.1", SOCK_DGRAM},
                                           InetCase{"::1", SOCK_STREAM}, InetCase{"::1", SOCK_DGRAM}));

TEST_P(InetAddress, ComesBackWithTheChosenPort) {
  const SocketAddress any_port = *SocketAddress::Inet(GetParam().ip, 0, "");
  const Fd fd = NewSocket(any_port.family(), GetParam().type);
  EXPECT_TRUE(LocalOf(fd).IsWildcard());
  const int error = Bind(fd, any_port);
  if (error == EADDRNOTAVAIL) GTEST_SKIP() << "this host has no " << GetParam().ip;
  ASSERT_EQ(error, 0);
  const SocketAddress local = LocalOf(fd);
  EXPECT_NE(local.port(), 0);
  EXPECT_EQ(local, *SocketAddress::Inet(GetParam().ip, local.port(), ""));

  const Fd second = NewSocket(any_port.family(), GetParam().type);
  EXPECT_EQ(Bind(second, local), EADDRINUSE) << "the address can be used again as it is";
}

TEST(InetAddress, MappedIpv4BindsAnIpv6Socket) {
  const SocketAddress mapped = SocketAddress::Inet("127.0.0.1", 0, "")->MappedTo6();
  const Fd fd = NewSocket(AF_INET6, SOCK_STREAM);
  const int off = 0;
  ASSERT_EQ(KernelSyscalls().SetSockOpt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)), 0);
  ASSERT_EQ(Bind(fd, mapped), 0);
  EXPECT_EQ(LocalOf(fd).ip(), "::ffff:127.0.0.1");
}

// An index that no interface has is not ours to refuse. A socket of its own for each bind: the one that failed stays
// tied to the interface that does not exist.
TEST(InetAddress, TheKernelJudgesTheScopeIndex) {
  const SocketAddress nowhere = *SocketAddress::Inet("fe80::1", 0, "2147483647");
  EXPECT_EQ(Bind(NewSocket(AF_INET6, SOCK_DGRAM), nowhere), ENODEV);
  const SocketAddress without = *SocketAddress::Inet("fe80::1", 0, "");
  EXPECT_EQ(Bind(NewSocket(AF_INET6, SOCK_DGRAM), without), EINVAL);
}

// Looking up an interface takes a descriptor. That there is none left says nothing about the scope.
TEST(InetAddress, AScopeThatCannotBeLookedUpIsNotCalledWrong) {
  rlimit before;
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit none = {.rlim_cur = 0, .rlim_max = before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
  const base::Result<SocketAddress> address = SocketAddress::Inet("fe80::1", 80, "lo");
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
  ASSERT_FALSE(address.ok());
  EXPECT_EQ(address.error().reason, "EMFILE");
  EXPECT_EQ(address.error().system_call, "socket");
}

TEST(Unspecified, DisconnectsWhereLinuxDisconnects) {
  for (int type : {SOCK_STREAM, SOCK_DGRAM}) {
    EXPECT_EQ(Connect(NewSocket(AF_INET, type), SocketAddress::Unspecified()), 0);
    EXPECT_EQ(Connect(NewSocket(AF_INET6, type), SocketAddress::Unspecified()), 0);
  }
  EXPECT_EQ(Connect(NewSocket(AF_UNIX, SOCK_DGRAM), SocketAddress::Unspecified()), 0);
  EXPECT_EQ(Connect(NewSocket(AF_UNIX, SOCK_STREAM), SocketAddress::Unspecified()), EINVAL);
}

// The raw escape reaches the kernel as it is.
TEST(RawAddress, TheKernelJudgesMalformedOnes) {
  const Fd fd = NewSocket(AF_INET, SOCK_STREAM);
  const std::string whole = SocketAddress::Inet("127.0.0.1", 0, "")->bytes();
  for (size_t size = 2; size < whole.size(); ++size) {
    EXPECT_EQ(Bind(fd, *SocketAddress::FromRaw(whole.substr(0, size))), EINVAL) << size;
  }
  EXPECT_EQ(Bind(fd, *SocketAddress::FromRaw(SocketAddress::UnixPath("/x")->bytes() + std::string(20, 0))),
            EAFNOSUPPORT);
  EXPECT_EQ(Bind(fd, *SocketAddress::FromRaw(whole + std::string(112, '\x55'))), 0) << "longer is fine for Linux";
}

}  // namespace
}  // namespace socketeer::net
