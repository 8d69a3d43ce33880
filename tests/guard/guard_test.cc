#include "server/guard/guard.h"

#include <gmock/gmock.h>
#include <netinet/in.h>
#include <sys/un.h>

#include "server/guard/demand.h"
#include "server/policy/policy_file.h"

namespace socketeer::guard {
namespace {

using net::Act;
using net::SocketAddress;
using net::SocketKind;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr SocketKind kTcp4{.family = AF_INET, .type = SOCK_STREAM};
constexpr SocketKind kTcp6{.family = AF_INET6, .type = SOCK_STREAM};
constexpr SocketKind kUdp4{.family = AF_INET, .type = SOCK_DGRAM};
constexpr SocketKind kUnix{.family = AF_UNIX, .type = SOCK_STREAM};

SocketAddress At(std::string_view ip, uint32_t port) { return *SocketAddress::Inet(ip, port, ""); }

std::string Asked(Act act, const SocketKind& kind, const SocketAddress& address, const std::string& path = "") {
  const net::Place place{.address = address, .path = path};
  return RequestOf("uid:1", {.act = act, .kind = kind, .place = &place}).ToString();
}

std::string Opened(SocketKind kind, int protocol) {
  kind.protocol = protocol;
  return RequestOf("uid:1", {.act = Act::kOpen, .kind = kind}).ToString();
}

TEST(DemandTest, AddressesOfTheInternet) {
  EXPECT_EQ(Asked(Act::kConnect, kTcp4, At("10.0.0.1", 80)), "connect tcp:10.0.0.1:80");
  EXPECT_EQ(Asked(Act::kSend, kUdp4, At("10.0.0.1", 53)), "send udp:10.0.0.1:53");
  EXPECT_EQ(Asked(Act::kListen, kTcp4, At("127.0.0.1", 80)), "listen tcp:127.0.0.1:80");
  EXPECT_EQ(Asked(Act::kReceive, kUdp4, At("127.0.0.1", 53)), "receive udp:127.0.0.1:53");
}

TEST(DemandTest, AnIpv6SocketIsForBothOnlyWhenItIs) {
  SocketKind both = kTcp6;
  both.dual = true;
  const net::Place place{.address = SocketAddress::Any6(80)};
  EXPECT_TRUE(RequestOf("uid:1", {.act = Act::kBind, .kind = kTcp6, .place = &place}).v6only);
  EXPECT_FALSE(RequestOf("uid:1", {.act = Act::kBind, .kind = both, .place = &place}).v6only);
  EXPECT_FALSE(RequestOf("uid:1", {.act = Act::kBind, .kind = kTcp4, .place = &place}).v6only);
}

TEST(DemandTest, UnixSocketsByTheirRealPath) {
  EXPECT_EQ(Asked(Act::kConnect, kUnix, *SocketAddress::UnixPath("link"), "/run/x"), "connect unix:/run/x");
  EXPECT_EQ(Asked(Act::kConnect, kUnix, *SocketAddress::UnixAbstract("x")), "connect unix:@x");
  EXPECT_EQ(Asked(Act::kBind, kUnix, SocketAddress::UnixUnnamed()), "bind unix:@00000");
}

TEST(DemandTest, WhatRulesHaveNoWordForIsRaw) {
  EXPECT_EQ(Asked(Act::kSend, kUdp4, SocketAddress::Unspecified()), "raw sockaddr:0");
  const sa_family_t inet = AF_INET;
  const std::string bytes(reinterpret_cast<const char*>(&inet), sizeof(inet));
  EXPECT_EQ(Asked(Act::kConnect, kTcp4, *SocketAddress::FromRaw(bytes + "short")), "raw sockaddr:2");
  EXPECT_EQ(Opened(kTcp4, 262), "raw protocol:262");
  EXPECT_EQ(Opened(kTcp4, IPPROTO_UDP), "raw protocol:17");
  EXPECT_EQ(Opened(kUdp4, IPPROTO_ICMP), "raw protocol:1");
  EXPECT_EQ(Opened(kUnix, 2), "raw protocol:2");
  EXPECT_EQ(Opened(kTcp4, IPPROTO_TCP), "open tcp4");
  EXPECT_EQ(Opened(kUdp4, IPPROTO_UDP), "open udp4");
  EXPECT_EQ(Opened(kUnix, PF_UNIX), "open unix");
}

class GuardTest : public ::testing::Test {
 protected:
  PolicyPtr Parse(const std::string& text) {
    auto parsed = policy::ParsePolicy(text, "p");
    EXPECT_TRUE(parsed.ok()) << parsed.error().message;
    return std::make_shared<const policy::Policy>(*std::move(parsed));
  }

  base::Status Connect(const SocketAddress& to, const SocketKind& kind = kTcp4) {
    const net::Place place{.address = to};
    return guard_.Judge("uid:1", {.act = Act::kConnect, .kind = kind, .place = &place});
  }

  std::vector<std::string> told_;
  Guard guard_{
      [this](const Denial& denial) { told_.push_back(denial.identity + " " + denial.request + ": " + denial.rule); }};
};

TEST_F(GuardTest, WithoutAPolicyAllIsPermitted) {
  EXPECT_EQ(guard_.terms(), 0u);
  EXPECT_TRUE(Connect(At("10.0.0.1", 80)).ok());
  EXPECT_TRUE(guard_.JudgeName("uid:1", "example").ok());
}

TEST_F(GuardTest, EachPolicyHasTermsOfItsOwn) {
  guard_.Enforce(Parse("rules: [{allow: [connect], identities: [any]}]"));
  const uint64_t first = guard_.terms();
  EXPECT_TRUE(Connect(At("10.0.0.1", 80)).ok());
  guard_.Enforce(Parse("rules: []"));
  EXPECT_NE(guard_.terms(), first);
  const auto status = Connect(At("10.0.0.1", 80));
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().reason, "POLICY_DENIED");
  EXPECT_EQ(status.error().origin, base::Origin::kPolicy);
  EXPECT_EQ(status.error().metadata.at("request"), "connect tcp:10.0.0.1:80");
  EXPECT_EQ(status.error().metadata.at("rule"), "no rule matches");
}

TEST_F(GuardTest, ADenialNamesItsRule) {
  guard_.Enforce(Parse("rules: [{name: no-web, deny: [connect], identities: [any]}]"));
  EXPECT_EQ(Connect(At("10.0.0.1", 80)).error().metadata.at("rule"), "no-web");
  EXPECT_THAT(guard_.JudgeName("uid:1", "a.example").error().message, HasSubstr("denies resolve a.example"));
}

TEST_F(GuardTest, ShadowTellsAndPermits) {
  guard_.Enforce(Parse("mode: shadow\nrules: [{name: no-web, deny: [connect], identities: [any]}]"));
  EXPECT_TRUE(Connect(At("10.0.0.1", 80)).ok());
  EXPECT_THAT(told_, ElementsAre("uid:1 connect tcp:10.0.0.1:80: no-web"));
}

TEST_F(GuardTest, NobodyReachesTheDaemonsOwnSockets) {
  ASSERT_TRUE(guard_.KeepOff(At("127.0.0.1", 7625)).ok());
  ASSERT_TRUE(guard_.KeepOff(At("::1", 7626)).ok());
  for (const auto& [ip, port] : {std::pair("127.0.0.1", 7625), {"0.0.0.0", 7625}, {"::1", 7626}, {"::", 7626}}) {
    EXPECT_EQ(Connect(At(ip, static_cast<uint32_t>(port))).error().reason, "POLICY_DENIED") << ip;
  }
  for (const char* const ip : {"::ffff:127.0.0.1", "::ffff:0.0.0.0", "2002:7f00:1::", "64:ff9b::7f00:1"}) {
    EXPECT_EQ(Connect(At(ip, 7625), kTcp6).error().reason, "POLICY_DENIED") << ip;
  }
  EXPECT_TRUE(Connect(At("127.0.0.1", 7624)).ok());
  EXPECT_TRUE(Connect(At("127.0.0.2", 7625)).ok());
  EXPECT_TRUE(Connect(At("127.0.0.1", 7625), kUdp4).ok()) << "a datagram does not get there";
}

TEST_F(GuardTest, AControlSocketOnTheWildcardIsOnEachAddressOfTheHost) {
  ASSERT_TRUE(guard_.KeepOff(SocketAddress::Any4(7625)).ok());
  for (const char* const ip : {"127.0.0.1", "127.9.9.9", "0.0.0.0"}) EXPECT_FALSE(Connect(At(ip, 7625)).ok()) << ip;
  EXPECT_TRUE(Connect(At("192.0.2.1", 7625)).ok()) << "an address of documentation is nobody's";
}

TEST_F(GuardTest, AControlSocketAtAPathIsItsFile) {
  ASSERT_TRUE(guard_.KeepOff(*SocketAddress::UnixPath("/dev/null")).ok());  // any file does
  struct stat found {};
  ASSERT_EQ(stat("/dev/null", &found), 0);
  net::Place place{.address = *SocketAddress::UnixPath("/x"), .path = "/x", .device = found.st_dev};
  place.inode = found.st_ino;
  const net::Demand demand{.act = Act::kConnect, .kind = kUnix, .place = &place};
  EXPECT_FALSE(guard_.Judge("uid:1", demand).ok());
  place.inode += 1;
  EXPECT_TRUE(guard_.Judge("uid:1", demand).ok());
}

}  // namespace
}  // namespace socketeer::guard
