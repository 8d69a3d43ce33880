// What rules mean.
#include "server/policy/policy.h"

#include <gtest/gtest.h>

#include "server/policy/policy_file.h"

namespace socketeer::policy {
namespace {

using namespace std::string_literals;

// The rules of a file, without its other keys.
Policy Rules(const std::string& rules) {
  auto policy = ParsePolicy("rules:\n" + rules, "p");
  EXPECT_TRUE(policy.ok()) << policy.error().message;
  return policy.ok() ? *std::move(policy) : Policy();
}

bool Allows(const Policy& policy, const char* verb, const char* object, const char* identity = "uid:1") {
  const auto request = ParseRequest(identity, verb, object);
  EXPECT_TRUE(request.ok()) << request.error().message;
  return request.ok() && policy.Decide(*request).allowed;
}

TEST(Policy, DeniesWhatNoRuleNames) {
  const Policy policy = Rules("- {allow: connect, identities: 'uid:1', addresses: 10.0.0.0/8}\n");
  EXPECT_TRUE(Allows(policy, "connect", "tcp:10.0.0.1:80"));
  EXPECT_FALSE(Allows(policy, "connect", "tcp:11.0.0.1:80"));
  EXPECT_FALSE(Allows(policy, "bind", "tcp:10.0.0.1:80"));
  EXPECT_FALSE(Allows(policy, "connect", "tcp:10.0.0.1:80", "uid:11"));
  EXPECT_EQ(Policy().Decide({.identity = "uid:0"}).ToString(), "denied: no rule matches");
}

TEST(Policy, TheFirstRuleThatMatchesDecides) {
  const Policy policy = Rules(
      "- {name: none-of-it, deny: connect, identities: any, addresses: 10.0.0.5}\n"
      "- {allow: connect, identities: any, addresses: 10.0.0.0/8}\n"
      "- {deny: connect, identities: any, addresses: 10.0.0.6}\n");
  EXPECT_FALSE(Allows(policy, "connect", "tcp:10.0.0.5:1"));
  EXPECT_TRUE(Allows(policy, "connect", "tcp:10.0.0.6:1"));
  const auto request = *ParseRequest("uid:1", "connect", "tcp:10.0.0.5:1");
  EXPECT_EQ(policy.Decide(request).ToString(), "denied by none-of-it (line 2)");
}

TEST(Policy, AnAddressThatLeadsToADeniedOneIsDenied) {
  const Policy policy = Rules(
      "- {deny: [connect, send], identities: any, addresses: loopback}\n"
      "- {allow: [connect, send], identities: any, addresses: any}\n");
  EXPECT_TRUE(Allows(policy, "connect", "tcp:10.0.0.1:80"));
  EXPECT_TRUE(Allows(policy, "connect", "tcp:[2001:db8::1]:80"));
  EXPECT_TRUE(Allows(policy, "connect", "tcp:[2002:a00:1::]:80"));
  for (const char* object :
       {"tcp:127.0.0.1:80", "tcp:127.9.9.9:80", "tcp:[::1]:80", "tcp:[::ffff:127.0.0.1]:80", "tcp:0.0.0.0:80",
        "tcp:[::]:80", "tcp:[::ffff:0.0.0.0]:80", "tcp:[::127.0.0.1]:80", "tcp:[2002:7f00:1::]:80",
        "tcp:[64:ff9b::127.0.0.1]:80", "tcp:[2001:0:1:2:3:4:80ff:fffe]:80", "udp:[::ffff:0:127.0.0.1]:53",
        "tcp6:[::]:80", "tcp:[64:ff9b::]:80"}) {
    EXPECT_FALSE(Allows(policy, "connect", object)) << object;
    EXPECT_FALSE(Allows(policy, "send", object)) << object;
  }
}

// It goes out as IPv6, wherever it ends.
TEST(Policy, ATunnelIsAllowedWithWhatItLeadsToOnly) {
  const Policy inner = Rules("- {allow: connect, identities: any, addresses: [loopback, 8.0.0.0/8]}\n");
  const Policy both = Rules("- {allow: connect, identities: any, addresses: [8.0.0.0/8, '2002::/16']}\n");
  const Policy outer = Rules(
      "- {deny: connect, identities: any, families: ipv6}\n"
      "- {allow: connect, identities: any, addresses: any}\n");
  EXPECT_FALSE(Allows(inner, "connect", "tcp:[2002:808:808::1]:80"));
  EXPECT_FALSE(Allows(inner, "connect", "tcp:[2002:7f00:1::1]:80"));
  EXPECT_TRUE(Allows(inner, "connect", "tcp:[::ffff:8.8.8.8]:80"));
  EXPECT_TRUE(Allows(both, "connect", "tcp:[2002:808:808::1]:80"));
  EXPECT_FALSE(Allows(both, "connect", "tcp:[2002:909:909::1]:80"));
  EXPECT_FALSE(Allows(outer, "connect", "tcp:[2002:808:808::1]:80"));
  EXPECT_TRUE(Allows(outer, "connect", "tcp:[::ffff:8.8.8.8]:80"));
}

TEST(Policy, SensitiveAddressesMustBeNamed) {
  const Policy wide = Rules(
      "- {allow: all, identities: any, addresses: [any, private, 169.0.0.0/8]}\n- {allow: connect, identities: any}\n");
  const Policy local = Rules("- {allow: connect, identities: any, addresses: link-local}\n");
  const Policy named = Rules("- {allow: connect, identities: any, addresses: metadata}\n");
  for (const char* object : {"tcp:169.254.169.254:80", "tcp:[::ffff:169.254.169.254]:80", "tcp:[fd00:ec2::254]:80",
                             "tcp:100.100.100.200:80"}) {
    EXPECT_FALSE(Allows(wide, "connect", object)) << object;
    EXPECT_FALSE(Allows(local, "connect", object)) << object;
    EXPECT_TRUE(Allows(named, "connect", object)) << object;
  }
  for (const char* object : {"tcp:169.254.1.1:80", "tcp:[fe80::1]:80"}) {
    EXPECT_FALSE(Allows(wide, "connect", object)) << object;
    EXPECT_TRUE(Allows(local, "connect", object)) << object;
  }
  EXPECT_TRUE(Allows(wide, "connect", "tcp:169.253.0.1:80"));
  EXPECT_TRUE(Allows(Rules("- {allow: connect, identities: any, addresses: 169.254.1.0/24}\n"), "connect",
                     "tcp:169.254.1.1:80"));
}

TEST(Policy, AWildcardBindIsEveryAddress) {
  EXPECT_TRUE(Allows(Rules("- {allow: bind, identities: any, addresses: any}\n"), "bind", "tcp:0.0.0.0:80"));
  EXPECT_TRUE(Allows(Rules("- {allow: bind, identities: any, addresses: wildcard}\n"), "bind", "tcp:[::]:80"));
  EXPECT_TRUE(Allows(Rules("- {allow: bind, identities: any}\n"), "bind", "tcp:0.0.0.0:80"));
  EXPECT_FALSE(
      Allows(Rules("- {allow: bind, identities: any, addresses: [loopback, 0.0.0.0/8]}\n"), "bind", "tcp:0.0.0.0:80"));
  const Policy but_one = Rules(
      "- {deny: bind, identities: any, addresses: 10.0.0.1}\n"
      "- {allow: bind, identities: any, addresses: any}\n");
  EXPECT_FALSE(Allows(but_one, "bind", "tcp:0.0.0.0:80"));
  EXPECT_TRUE(Allows(but_one, "bind", "tcp:10.0.0.2:80"));
  EXPECT_FALSE(Allows(but_one, "bind", "tcp:[::]:80")) << "it is every IPv4 address, too";
  EXPECT_TRUE(Allows(but_one, "bind", "tcp6:[::]:80"));
  EXPECT_FALSE(Allows(Rules("- {allow: bind, identities: any, addresses: '::/0'}\n"), "bind", "tcp:[::]:80"));
  EXPECT_FALSE(Allows(Rules("- {deny: bind, identities: any, families: ipv4}\n- {allow: bind, identities: any}\n"),
                      "bind", "tcp:[::]:80"));
}

TEST(Policy, APortThatTheKernelChoosesMayBeADeniedOne) {
  const Policy policy = Rules(
      "- {deny: bind, identities: any, ports: 40000-50000}\n"
      "- {allow: bind, identities: any}\n");
  EXPECT_FALSE(Allows(policy, "bind", "tcp:10.0.0.1:0"));
  EXPECT_TRUE(Allows(policy, "bind", "tcp:10.0.0.1:1"));
  EXPECT_TRUE(Allows(Rules("- {deny: bind, identities: any, ports: 1-1023}\n- {allow: bind, identities: any}\n"),
                     "bind", "tcp:10.0.0.1:0"));
}

TEST(Policy, WhatReroutesAndWhatIsRawMustBeNamed) {
  const Policy any =
      Rules("- {allow: all, identities: any}\n- {allow: option, identities: any, names: ['m*', '**']}\n");
  EXPECT_TRUE(Allows(any, "option", "rcvbuf"));
  for (const char* name :
       {"mark", "bindtodevice", "pktinfo", "ip_options", "transparent", "repair", "fastopen", "add_membership"}) {
    EXPECT_FALSE(Allows(any, "option", name)) << name;
  }
  EXPECT_FALSE(Allows(any, "raw", "1:36"));
  const Policy named = Rules(
      "- {allow: option, identities: any, names: mark}\n"
      "- {allow: raw, identities: any, names: ['6:*']}\n");
  EXPECT_TRUE(Allows(named, "option", "mark"));
  EXPECT_TRUE(Allows(named, "raw", "6:1"));
  EXPECT_FALSE(Allows(named, "raw", "1:36"));
  EXPECT_FALSE(
      Allows(Rules("- {deny: option, identities: any, names: 'm*'}\n- {allow: option, identities: any, names: mark}\n"),
             "option", "mark"));
}

TEST(Policy, FamiliesProtocolsAndPorts) {
  const Policy policy =
      Rules("- {allow: connect, identities: any, families: ipv4, protocols: tcp, ports: [80, 8000-8009]}\n");
  EXPECT_TRUE(Allows(policy, "connect", "tcp:10.0.0.1:80"));
  EXPECT_TRUE(Allows(policy, "connect", "tcp:[::ffff:10.0.0.1]:80")) << "its own family counts";
  EXPECT_TRUE(Allows(policy, "connect", "tcp:10.0.0.1:8009"));
  EXPECT_FALSE(Allows(policy, "connect", "tcp:10.0.0.1:8010"));
  EXPECT_FALSE(Allows(policy, "connect", "tcp:10.0.0.1:79"));
  EXPECT_FALSE(Allows(policy, "connect", "udp:10.0.0.1:80"));
  EXPECT_FALSE(Allows(policy, "connect", "tcp:[2001:db8::1]:80"));
  EXPECT_FALSE(Allows(policy, "connect", "unix:/run/x"));
}

TEST(Policy, PathsAndNames) {
  const Policy policy = Rules(
      "- {allow: [connect, bind], identities: any, paths: [/run/app/*, '/srv/**', '@lab-*']}\n"
      "- {allow: resolve, identities: any, names: ['*.example']}\n"
      "- {allow: option, identities: any, names: [rcvbuf]}\n"
      "- {allow: connect, identities: any, addresses: any}\n");
  EXPECT_TRUE(Allows(policy, "connect", "unix:/run/app/x"));
  EXPECT_FALSE(Allows(policy, "connect", "unix:/run/app/x/y"));
  EXPECT_TRUE(Allows(policy, "bind", "unix-dgram:/srv/a/b"));
  EXPECT_TRUE(Allows(policy, "connect", "unix:@lab-1"));
  EXPECT_FALSE(Allows(policy, "connect", "unix:@other"));
  EXPECT_FALSE(Allows(policy, "bind", "tcp:10.0.0.1:80")) << "paths are of UNIX sockets";
  EXPECT_FALSE(Allows(policy, "connect", "unix:/etc/x")) << "addresses are of IP";
  EXPECT_TRUE(Allows(policy, "resolve", "a.example"));
  EXPECT_TRUE(Allows(policy, "resolve", "A.Example."));
  EXPECT_FALSE(Allows(policy, "resolve", "a.example.net"));
  EXPECT_FALSE(
      Allows(Rules("- {deny: resolve, identities: any, names: 'a.Internal.'}\n- {allow: all, identities: any}\n"),
             "resolve", "A.INTERNAL"));
  EXPECT_TRUE(Allows(policy, "option", "rcvbuf"));
  EXPECT_FALSE(Allows(policy, "option", "mark"));
}

// A path that was not made real is a mistake of whoever asks, and must not open a door.
TEST(Policy, APathWithTricksMatchesNoAllowance) {
  const Policy policy = Rules("- {allow: connect, identities: any, paths: '/**'}\n- {allow: all, identities: any}\n");
  for (const std::string& path :
       std::vector<std::string>{"", "@", "run/x", "/run/../etc/x", "/run/./x", "/run//x", "/run/", "/run/x\0y"s}) {
    EXPECT_FALSE(policy
                     .Decide({.identity = "uid:1",
                              .verb = Verb::kConnect,
                              .family = Family::kUnix,
                              .protocol = Protocol::kStream,
                              .path = path})
                     .allowed)
        << path;
  }
}

TEST(Policy, AllIsWhatHasWhatTheRuleStates) {
  const Policy policy = Rules("- {allow: all, identities: any, addresses: 10.0.0.0/8}\n");
  for (const char* verb : {"connect", "bind", "listen", "send", "receive"})
    EXPECT_TRUE(Allows(policy, verb, "tcp:10.0.0.1:1"));
  EXPECT_FALSE(Allows(policy, "open", "tcp4"));
  EXPECT_FALSE(Allows(policy, "administer", ""));
  EXPECT_TRUE(Allows(Rules("- {allow: all, identities: any}\n"), "administer", ""));
}

TEST(Policy, ItsOwnCasesSayWhatFails) {
  const auto policy = ParsePolicy(
      "rules:\n"
      "- {name: lab, allow: connect, identities: 'uid:1', addresses: 10.0.0.0/8}\n"
      "- {name: rest, allow: connect, identities: 'uid:1', addresses: 11.0.0.0/8}\n"
      "cases:\n"
      "- ['uid:1', connect, 'tcp:10.0.0.1:80', allow, lab]\n"
      "- ['uid:2', connect, 'tcp:10.0.0.1:80', deny]\n"
      "- ['uid:1', connect, 'tcp:12.0.0.1:80', allow]\n"
      "- ['uid:1', connect, 'tcp:11.0.0.1:80', allow, lab]\n"
      "- ['uid:1', administer, deny]\n",
      "p");
  ASSERT_TRUE(policy.ok()) << policy.error().message;
  EXPECT_EQ(policy->FailedCases(),
            (std::vector<std::string>{
                "7: uid:1 connect tcp:12.0.0.1:80: denied: no rule matches; expected: allow",
                "8: uid:1 connect tcp:11.0.0.1:80: allowed by rest (line 3); expected: allow by lab",
            }));
}

}  // namespace
}  // namespace socketeer::policy
