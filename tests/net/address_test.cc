// Addresses as values: made, taken apart, printed, refused. What the kernel makes of them: address_kernel_test.cc.
#include "server/net/address.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <memory>
#include <string>

namespace socketeer::net {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using namespace std::string_literals;

std::string FamilyBytes(sa_family_t family) {
  return std::string(reinterpret_cast<const char*>(&family), sizeof(family));
}

SocketAddress Raw(const std::string& bytes) { return *SocketAddress::FromRaw(bytes); }

struct InetTextCase {
  const char* ip;
  uint32_t port;
  const char* scope;
  int family;
  const char* text;
  const char* canonical_ip;
  const char* canonical_scope;
};

TEST(Inet, IsTakenApartAsItWasMade) {
  const InetTextCase cases[] = {
      {"10.0.0.1", 80, "", AF_INET, "10.0.0.1:80", "10.0.0.1", ""},
      {"0.0.0.0", 0, "", AF_INET, "0.0.0.0:0", "0.0.0.0", ""},
      {"255.255.255.255", 65535, "", AF_INET, "255.255.255.255:65535", "255.255.255.255", ""},
      {"::", 0, "", AF_INET6, "[::]:0", "::", ""},
      {"::1", 65535, "", AF_INET6, "[::1]:65535", "::1", ""},
      {"2001:DB8:0:0::1", 443, "", AF_INET6, "[2001:db8::1]:443", "2001:db8::1", ""},
      {"::ffff:10.0.0.1", 1, "", AF_INET6, "[::ffff:10.0.0.1]:1", "::ffff:10.0.0.1", ""},
      {"fe80::1", 80, "lo", AF_INET6, "[fe80::1%lo]:80", "fe80::1", "lo"},
      {"fe80::1", 80, "1", AF_INET6, "[fe80::1%lo]:80", "fe80::1", "lo"},
      {"fe80::1", 80, "0", AF_INET6, "[fe80::1]:80", "fe80::1", ""},
      {"fe80::1", 80, "4294967295", AF_INET6, "[fe80::1%4294967295]:80", "fe80::1", "4294967295"},
  };
  ASSERT_EQ(if_nametoindex("lo"), 1u);
  for (const InetTextCase& test : cases) {
    SCOPED_TRACE(test.text);
    const base::Result<SocketAddress> address = SocketAddress::Inet(test.ip, test.port, test.scope);
    ASSERT_TRUE(address.ok()) << address.error().message;
    EXPECT_EQ(address->family(), test.family);
    EXPECT_TRUE(address->IsInet());
    EXPECT_EQ(address->ToString(), test.text);
    EXPECT_EQ(address->ip(), test.canonical_ip);
    EXPECT_EQ(address->port(), test.port);
    EXPECT_EQ(address->scope(), test.canonical_scope);
    EXPECT_EQ(address->size(), test.family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6));
    EXPECT_FALSE(address->IsUnixPath() || address->IsUnixAbstract() || address->IsUnixUnnamed());
  }
}

TEST(Inet, IpIsWhatInetPtonTakesAndNothingElse) {
  for (const std::string& ip : {""s, "1"s, "10.1"s, "010.0.0.1"s, "0x7f.0.0.1"s, "1.2.3.4."s, "1.2.3.4 "s, " 1.2.3.4"s,
                                "256.1.1.1"s, "1.2.3.4\0x"s, "::1\0"s, "[::1]"s, "fe80::1%lo"s, ":::1"s, "::1.2.3"s,
                                "12345::"s, "localhost"s, std::string(5000, '1')}) {
    const base::Result<SocketAddress> address = SocketAddress::Inet(ip, 1, "");
    ASSERT_FALSE(address.ok()) << ip;
    EXPECT_EQ(address.error().reason, "INVALID_FIELD");
    EXPECT_EQ(address.error().metadata.at("field"), "ip");
    EXPECT_LT(address.error().message.size(), 200u);
  }
}

TEST(Inet, PortHas16Bits) {
  for (uint32_t port : {65536u, 4294967295u}) {
    const base::Result<SocketAddress> address = SocketAddress::Inet("::1", port, "");
    ASSERT_FALSE(address.ok());
    EXPECT_EQ(address.error().metadata.at("field"), "port");
    EXPECT_THAT(address.error().message, AllOf(HasSubstr(std::to_string(port)), HasSubstr("0 to 65535")));
  }
}

TEST(Inet, ScopeIsAnInterfaceOrAnIndex) {
  for (const std::string& scope : {"nosuch0"s, "4294967296"s, "-1"s, "+1"s, "1 "s, "0x1"s, "lo\0"s, "1\0"s, "lo:1"s,
                                   std::string(IF_NAMESIZE, 'x'), std::string(5000, '1')}) {
    const base::Result<SocketAddress> address = SocketAddress::Inet("fe80::1", 1, scope);
    ASSERT_FALSE(address.ok()) << scope;
    EXPECT_EQ(address.error().reason, "INVALID_FIELD") << scope;
    EXPECT_EQ(address.error().metadata.at("field"), "scope");
    EXPECT_EQ(address.error().metadata.at("allowed"), "an interface of this host, by name or index");
  }
}

TEST(Inet, ScopeIsForIpv6) {
  const base::Result<SocketAddress> address = SocketAddress::Inet("10.0.0.1", 1, "lo");
  ASSERT_FALSE(address.ok());
  EXPECT_EQ(address.error().metadata.at("field"), "scope");
}

TEST(Inet, Wildcards) {
  EXPECT_EQ(SocketAddress::Any4(80).ToString(), "0.0.0.0:80");
  EXPECT_EQ(SocketAddress::Any6(80).ToString(), "[::]:80");
  EXPECT_TRUE(SocketAddress::Any4(80).IsWildcard());
  EXPECT_TRUE(SocketAddress::Any6(0).IsWildcard());
  EXPECT_TRUE(SocketAddress::Any4(80).MappedTo6().IsWildcard());
  EXPECT_FALSE(SocketAddress::Inet("::1", 0, "")->IsWildcard());
  EXPECT_FALSE(SocketAddress::Inet("0.0.0.1", 0, "")->IsWildcard());
  EXPECT_FALSE(SocketAddress::Inet("::ffff:0.0.0.1", 0, "")->IsWildcard());
  EXPECT_FALSE(SocketAddress().IsWildcard());
  EXPECT_FALSE(SocketAddress::UnixUnnamed().IsWildcard());
}

TEST(Inet, OnlyIpv4IsMapped) {
  EXPECT_EQ(SocketAddress::Inet("10.1.2.3", 80, "")->MappedTo6().ToString(), "[::ffff:10.1.2.3]:80");
  for (const SocketAddress& address :
       {*SocketAddress::Inet("fe80::1", 80, "lo"), *SocketAddress::UnixPath("/x"), SocketAddress::Unspecified(),
        SocketAddress(), Raw(FamilyBytes(AF_INET) + "short")}) {
    EXPECT_EQ(address.MappedTo6(), address);
  }
}

TEST(Unix, PathsHave1To108Bytes) {
  for (const std::string& path : {"/"s, "x"s, std::string(107, 'x'), std::string(108, 'x'), "/\xff\n"s}) {
    const base::Result<SocketAddress> address = SocketAddress::UnixPath(path);
    ASSERT_TRUE(address.ok()) << path;
    EXPECT_TRUE(address->IsUnixPath() && !address->IsUnixAbstract() && !address->IsUnixUnnamed());
    EXPECT_EQ(address->unix_name(), path);
    EXPECT_EQ(address->size(), 2 + path.size());
  }
  for (const std::string& path : {""s, std::string(109, 'x'), "\0"s, "/x\0"s, "/x\0y"s}) {
    const base::Result<SocketAddress> address = SocketAddress::UnixPath(path);
    ASSERT_FALSE(address.ok()) << path;
    EXPECT_EQ(address.error().metadata.at("field"), "path");
  }
}

TEST(Unix, AbstractNamesHave0To107BytesOfAnyKind) {
  for (const std::string& name : {""s, "x"s, "\0"s, "\0\0a\0"s, std::string(107, '\0')}) {
    const base::Result<SocketAddress> address = SocketAddress::UnixAbstract(name);
    ASSERT_TRUE(address.ok());
    EXPECT_TRUE(address->IsUnixAbstract() && !address->IsUnixPath() && !address->IsUnixUnnamed());
    EXPECT_EQ(address->unix_name(), name);
    EXPECT_EQ(address->size(), 3 + name.size());
  }
  const base::Result<SocketAddress> address = SocketAddress::UnixAbstract(std::string(108, 'x'));
  ASSERT_FALSE(address.ok());
  EXPECT_EQ(address.error().metadata.at("field"), "abstract_name");
}

TEST(Unix, UnnamedIsOnlyAFamily) {
  const SocketAddress address = SocketAddress::UnixUnnamed();
  EXPECT_EQ(address.size(), 2u);
  EXPECT_TRUE(address.IsUnixUnnamed() && !address.IsUnixAbstract() && !address.IsUnixPath());
  EXPECT_EQ(address.unix_name(), "");
  EXPECT_FALSE(address.empty());
}

TEST(ToString, IsNeverTakenForAnotherAddress) {
  EXPECT_EQ(SocketAddress().ToString(), "");
  EXPECT_EQ(SocketAddress::UnixUnnamed().ToString(), "");
  EXPECT_EQ(SocketAddress::UnixPath("/run/x.sock")->ToString(), "/run/x.sock");
  EXPECT_EQ(SocketAddress::UnixPath("../x")->ToString(), "../x");
  EXPECT_EQ(SocketAddress::UnixPath("x")->ToString(), "./x");
  EXPECT_EQ(SocketAddress::UnixPath("@x")->ToString(), "./@x");
  EXPECT_EQ(SocketAddress::UnixAbstract("x")->ToString(), "@x");
  EXPECT_EQ(SocketAddress::UnixAbstract("a\0\n\\"s)->ToString(), "@a\\x00\\x0a\\\\");
  EXPECT_EQ(SocketAddress::UnixPath("/a\nb")->ToString(), "/a\\x0ab");
  EXPECT_EQ(Raw(FamilyBytes(AF_NETLINK) + "\xab").ToString(), "raw:1000ab");
  EXPECT_EQ(SocketAddress::Unspecified().ToString(), "raw:0000");
}

TEST(Raw, Has2To128Bytes) {
  EXPECT_EQ(Raw("\x63\0"s).bytes(), "\x63\0"s);
  EXPECT_EQ(Raw(std::string(128, 'x')).size(), 128u);
  for (size_t size : {0, 1, 129}) {
    const base::Result<SocketAddress> address = SocketAddress::FromRaw(std::string(size, 'x'));
    ASSERT_FALSE(address.ok()) << size;
    EXPECT_EQ(address.error().metadata.at("field"), "raw");
  }
}

TEST(Raw, IsKeptAsItIs) {
  const std::string path = FamilyBytes(AF_UNIX) + "/x\0junk"s;
  EXPECT_EQ(Raw(path).bytes(), path);
  EXPECT_EQ(Raw(path).unix_name(), "/x");
}

// Every length of every family, in a buffer of exactly that length: ASan sees a read beyond it.
TEST(Raw, NothingIsReadBeyondItsEnd) {
  for (int family : {AF_UNSPEC, AF_UNIX, AF_INET, AF_INET6, AF_NETLINK, 0xffff}) {
    for (size_t size = 2; size <= 128; ++size) {
      SCOPED_TRACE(std::to_string(family) + " " + std::to_string(size));
      std::string bytes = FamilyBytes(static_cast<sa_family_t>(family)).append(size - 2, '\x01');
      auto exact = std::make_unique<char[]>(size);
      bytes.copy(exact.get(), size);
      for (const SocketAddress& address : {Raw(bytes), SocketAddress::FromKernel(exact.get(), size)}) {
        EXPECT_EQ(address.family(), family);
        const bool is_inet = (family == AF_INET && size >= 16) || (family == AF_INET6 && size >= 24);
        EXPECT_EQ(address.IsInet(), is_inet);
        EXPECT_EQ(address.port(), is_inet ? 0x0101 : 0);
        EXPECT_EQ(address.ip().empty(), !is_inet);
        EXPECT_EQ(address.IsUnixUnnamed() + address.IsUnixPath() + address.IsUnixAbstract(), family == AF_UNIX);
        address.scope();
        address.unix_name();
        address.IsWildcard();
        address.MappedTo6();
        EXPECT_EQ(address.ToString().starts_with("raw:"), !is_inet && family != AF_UNIX);
      }
    }
  }
}

TEST(FromKernel, NoAddressIsNone) {
  EXPECT_TRUE(SocketAddress::FromKernel("", 0).empty());
  EXPECT_TRUE(SocketAddress::FromKernel("", 1).empty());
  EXPECT_EQ(SocketAddress().family(), AF_UNSPEC);
  EXPECT_EQ(SocketAddress().size(), 0u);
}

TEST(FromKernel, TakesNoMoreThanAStorage) {
  EXPECT_EQ(SocketAddress::FromKernel(std::string(200, 'x').data(), 200).size(), sizeof(sockaddr_storage));
}

TEST(FromKernel, APathIsTheOneThatWasBoundWithOrWithoutItsNul) {
  const std::string bytes = FamilyBytes(AF_UNIX) + "/x\0"s;
  EXPECT_EQ(SocketAddress::FromKernel(bytes.data(), bytes.size()), *SocketAddress::UnixPath("/x"));
  EXPECT_EQ(SocketAddress::FromKernel(bytes.data(), bytes.size() - 1), *SocketAddress::UnixPath("/x"));
}

TEST(SocketAddress, IsAValue) {
  const SocketAddress a = *SocketAddress::Inet("10.0.0.1", 80, "");
  EXPECT_EQ(a, *SocketAddress::Inet("10.0.0.1", 80, ""));
  EXPECT_NE(a, *SocketAddress::Inet("10.0.0.1", 81, ""));
  EXPECT_NE(a, a.MappedTo6());
  EXPECT_NE(SocketAddress(), SocketAddress::UnixUnnamed());
  EXPECT_EQ(SocketAddress::FromKernel(a.data(), a.size()), a);
}

}  // namespace
}  // namespace socketeer::net
