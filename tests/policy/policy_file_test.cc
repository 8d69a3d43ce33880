// What a policy file may say, and what is said of one that is wrong.
#include "server/policy/policy_file.h"

#include <gtest/gtest.h>

#include <string>

namespace socketeer::policy {
namespace {

std::string Problem(const std::string& text) {
  const auto policy = ParsePolicy(text, "p.yaml");
  return policy.ok() ? "" : policy.error().message;
}

constexpr char kRule[] = "rules:\n- {allow: connect, identities: any}\n";

TEST(PolicyFile, WhatItsHeaderShowsIsRead) {
  const auto policy = ParsePolicy(R"(
identities:
  testers: [uid:1000, "spiffe://lab/tester/*"]
addresses:
  lab: [10.20.0.0/16, "fd00:20::/32"]
rules:
  - name: no-database
    deny: [connect, send]
    identities: [testers]
    addresses: [10.20.0.5]
  - allow: [open, option, resolve]
    identities: [testers]
  - allow: [connect, bind, listen, send, receive]
    identities: [testers]
    protocols: [tcp, udp]
    addresses: [lab, loopback]
    ports: [1-1023, 8080]
cases:
  - [uid:1000, connect, "tcp:10.20.0.5:5432", deny, no-database]
  - [uid:1000, connect, "tcp:10.20.0.6:80", allow, rule 3]
  - ["spiffe://lab/tester/7", bind, "udp:[::1]:1023", allow]
  - ["spiffe://lab/tester/7", bind, "udp:[::1]:1024", deny]
mode: shadow
)",
                                  "p.yaml");
  ASSERT_TRUE(policy.ok()) << policy.error().message;
  EXPECT_EQ(policy->mode, Mode::kShadow);
  EXPECT_EQ(policy->rules.size(), 3u);
  EXPECT_EQ(policy->rules[2].line, 13);
  EXPECT_EQ(policy->FailedCases(), std::vector<std::string>());
  EXPECT_EQ(ParsePolicy(kRule, "p.yaml")->mode, Mode::kEnforce);
}

constexpr char kIdentities[] =
    "identities, as uid:1000, token:ci, dns:ci.example, spiffe://lab/* or anonymous, and groups of them";

struct Mistake {
  std::string text;
  std::string problem;
};

class PolicyFileMistakes : public ::testing::TestWithParam<Mistake> {};

TEST_P(PolicyFileMistakes, AreToldWithTheirLine) { EXPECT_EQ(Problem(GetParam().text), GetParam().problem); }

INSTANTIATE_TEST_SUITE_P(
    Each, PolicyFileMistakes,
    ::testing::Values(
        Mistake{"", "p.yaml:1: there are no rules"},
        Mistake{"[]", "p.yaml:1: must be a map with some of the keys identities, addresses, rules, cases, mode"},
        Mistake{"mode: enforce", "p.yaml:1: the key rules is missing"},
        Mistake{"rules: []\nrule: []",
                "p.yaml:2: unknown key \"rule\"; known are identities, addresses, rules, cases, mode"},
        Mistake{"rules: []\nrules: []", "p.yaml:2: the key \"rules\" is given twice"},
        Mistake{"rules:\n", "p.yaml:1: the key \"rules\" has no value"},
        Mistake{"rules: {}", "p.yaml:1: must be a list of rules"},
        Mistake{"rules: []\n---\nrules: []", "p.yaml:2: a second document"},
        Mistake{"    a: [any]\n, allow]\n", "p.yaml:2: a second document"},
        Mistake{"rules:\n- {allow: all, identities: \"\"}",
                std::string("p.yaml:2: \"\" is empty; it must be one of ") + kIdentities},
        // A text to the reader, another to the daemon.
        Mistake{std::string("rules:\n- {allow: all, identities: any, ports: 2\0x32}", 52), "p.yaml:2: a NUL byte"},
        Mistake{std::string("rules: []\n# \0\n", 14), "p.yaml:2: a NUL byte"},
        Mistake{"rules: [}", "p.yaml:1: illegal flow end"},
        Mistake{"rules: []\nmode: loud", "p.yaml:2: mode must be enforce or shadow"},
        Mistake{"rules:\n- x",
                "p.yaml:2: must be a map with some of the keys name, allow, deny, identities, families, protocols, "
                "addresses, ports, paths, names"},
        Mistake{"rules:\n- {identities: any}", "p.yaml:2: must have exactly one of the keys allow and deny"},
        Mistake{"rules:\n- {identities: any, allow: all, deny: all}",
                "p.yaml:2: must have exactly one of the keys allow and deny"},
        Mistake{"rules:\n- {allow: all}", "p.yaml:2: the key identities is missing: who is it about? Everyone is any"},
        Mistake{"rules:\n- {allow: all, identities: []}",
                std::string("p.yaml:2: an empty list; it must be one of ") + kIdentities},
        Mistake{"rules:\n- {allow: all, identities: testers}",
                std::string("p.yaml:2: \"testers\" is none of ") + kIdentities},
        Mistake{"rules:\n- identities: any\n  allow: conect",
                "p.yaml:3: \"conect\" is none of the verbs all, open, connect, bind, listen, send, receive, option, "
                "resolve, raw, "
                "observe, end, administer"},
        Mistake{"rules:\n- {allow: [connect, open], identities: any, ports: 80}",
                "p.yaml:2: open has no ports: give it a rule of its own"},
        Mistake{"rules:\n- {allow: all, identities: any, ports: 80, names: x}",
                "p.yaml:2: no verb has all that the rule states"},
        Mistake{"rules:\n- {allow: all, identities: any, families: ipv5}",
                "p.yaml:2: \"ipv5\" is none of ipv4, ipv6, unix"},
        Mistake{"rules:\n- {allow: all, identities: any, protocols: sctp}",
                "p.yaml:2: \"sctp\" is none of tcp, udp, stream, dgram, seqpacket"},
        Mistake{"rules:\n- {allow: all, identities: any, addresses: 10.0.0.1/8}",
                "p.yaml:2: \"10.0.0.1/8\" is no address, nor a range without bits behind its prefix, nor a group"},
        Mistake{"rules:\n- {allow: all, identities: any, addresses: '::ffff:10.0.0.1'}",
                "p.yaml:2: \"::ffff:10.0.0.1\" would never match: such an address is judged as the IPv4 address "
                "that it is"},
        Mistake{"rules:\n- {allow: all, identities: any, ports: 65536}",
                "p.yaml:2: \"65536\" is no port of 0 to 65535, nor a range as 1-1023"},
        Mistake{"rules:\n- {allow: all, identities: any, ports: 9-8}",
                "p.yaml:2: \"9-8\" is no port of 0 to 65535, nor a range as 1-1023"},
        Mistake{"rules:\n- {allow: all, identities: any, paths: run/x}",
                "p.yaml:2: \"run/x\" is neither an absolute path without \".\", \"..\" and empty parts nor @NAME"},
        Mistake{"rules:\n- {name: a, allow: all, identities: any}\n- {name: a, allow: all, identities: any}",
                "p.yaml:3: there are two rules named \"a\""},
        Mistake{"identities: {any: 'uid:1'}\nrules: []", "p.yaml:1: there is a group \"any\" already"},
        Mistake{"identities: {a: b}\nrules: []", std::string("p.yaml:1: \"b\" is none of ") + kIdentities},
        Mistake{"identities: {'uid:1': 'uid:1'}\nrules: []",
                "p.yaml:1: \"uid:1\" cannot be a group's name: it means itself"},
        Mistake{"addresses: {loopback: 10.0.0.1}\nrules: []", "p.yaml:1: there is a group \"loopback\" already"},
        Mistake{"addresses: {a: [10.0.0.1, b]}\nrules: []",
                "p.yaml:1: \"b\" is no address, nor a range without bits behind its prefix, nor a group"},
        Mistake{"rules: []\ncases: [[]]",
                "p.yaml:2: an empty list; it must be one of [IDENTITY, VERB, OBJECT, allow or deny, "
                "RULE]; without OBJECT for a verb that has none, RULE may be absent"},
        Mistake{"rules: []\ncases:\n- ['uid:1', connect, 'tcp:1:1', deny]",
                "p.yaml:3: endpoint is \"1:1\"; it must be an IP address and a port, as 10.0.0.1:80 or [::1]:80"},
        Mistake{"addresses: {10.0.0.5: 10.0.0.6}\nrules: []",
                "p.yaml:1: \"10.0.0.5\" cannot be a group's name: it means itself"},
        Mistake{"rules:\n- allow: all\n  identities:\n  - uid:1\n  - uid:01",
                std::string("p.yaml:5: \"uid:01\" is none of ") + kIdentities},
        Mistake{"rules:\n- {allow: all, identities: any, ports: 010}",
                "p.yaml:2: \"010\" is no port of 0 to 65535, nor a range as 1-1023"},
        Mistake{"rules:\n- {allow: all, identities: any, addresses: !!null 10.0.0.1}",
                "p.yaml:2: the tag \"tag:yaml.org,2002:null\" is not allowed"},
        Mistake{"rules:\n- {allow: all, identities: any, paths: '/run/[ab]'}",
                "p.yaml:2: \"/run/[ab]\" has one of \" ,?[]{}\", which mean only themselves: patterns have * and **"},
        Mistake{"rules:\n- {allow: resolve, identities: any, names: 'a, b'}",
                "p.yaml:2: \"a, b\" has a blank or a comma: is it a list?"},
        Mistake{"rules:\n- {deny: all, identities: any, protocols: stream, addresses: 10.0.0.5}",
                "p.yaml:2: no IP socket is of such a family or protocol, so addresses and ports never match"},
        Mistake{"rules:\n- {deny: all, identities: any, families: ipv6, addresses: 10.0.0.0/8}",
                "p.yaml:2: the addresses are of no such family"},
        Mistake{"rules:\n- {deny: all, identities: any, families: ipv4, paths: /run/x}",
                "p.yaml:2: no UNIX socket is of such a family or protocol, so paths never match"},
        Mistake{"rules:\n- {deny: all, identities: any, families: unix, protocols: tcp}",
                "p.yaml:2: no socket is of such a family and such a protocol"},
        Mistake{"rules:\n- {deny: connect, identities: any, addresses: wildcard}",
                "p.yaml:2: connect to 0.0.0.0 or :: reaches this host, and is judged so: say loopback"},
        Mistake{"rules: []\ncases: [[any, administer, deny]]",
                "p.yaml:2: identity is \"any\"; it must be a caller's: anonymous, or as uid:1000, token:ci, "
                "dns:ci.example or "
                "spiffe://lab/ci"},
        Mistake{"rules: []\ncases:\n- ['uid:1', administer, maybe]", "p.yaml:3: the result must be allow or deny"},
        Mistake{"rules: []\ncases:\n- ['uid:1', administer, deny, x]", "p.yaml:3: there is no rule \"x\""}),
    [](const auto& each) { return "N" + std::to_string(each.index); });

TEST(PolicyFile, IdentitiesAreOfKnownForms) {
  for (const char* text :
       {"anonymous", "uid:0", "uid:1000", "token:ci", "dns:ci.example", "spiffe://lab/ci", "https://x/y"}) {
    EXPECT_TRUE(IsIdentity(text)) << text;
    EXPECT_TRUE(IsIdentity(text, true)) << text;
  }
  for (const char* text : {"**", "uid:*", "spiffe://lab/**", "token:ci-*"}) {
    EXPECT_FALSE(IsIdentity(text)) << text;
    EXPECT_TRUE(IsIdentity(text, true)) << text;
  }
  for (const char* text : {"", "uid:", "uid:01", "uid:1000x", "UID:1", "uid:1, uid:2", "uid:1 uid:2", "user:alice",
                           "token:", "root", "://x", "Spiffe://x", "spiffe://", "uid:1\n", "*", "spiffe://\xc3\xa9"}) {
    EXPECT_FALSE(IsIdentity(text)) << text;
    EXPECT_FALSE(IsIdentity(text, true)) << text;
  }
}

// A small file must not fill the memory, however often its groups are named.
TEST(PolicyFile, GroupsAreCountedWhereTheyAreNamed) {
  std::string group = "identities: {g: [", rules = "]}\nrules:\n";
  for (int i = 0; i < 9'000; ++i) group += "'uid:1',";
  for (int i = 0; i < 12; ++i) rules += "- {name: r" + std::to_string(i) + ", allow: connect, identities: g}\n";
  EXPECT_EQ(Problem(group + rules),
            "p.yaml:14: with this there are more than 100,000 identities and addresses, those of groups counted");
  std::string list = "rules:\n- {allow: connect, identities: any}\ncases: [";
  for (int i = 0; i < 10'001; ++i) list += "a,";
  EXPECT_EQ(Problem(list + "]"), "p.yaml:3: a list of 10001; at most 10000 are allowed");
  EXPECT_EQ(Problem("rules: [&r {allow: connect, identities: any}" +
                    [] {
                      std::string more;
                      for (int i = 0; i < 1'000; ++i) more += ",*r";
                      return more;
                    }() +
                    "]"),
            "p.yaml:1: a list of 1001; at most 1000 are allowed");
}

TEST(PolicyFile, WhatIsGivenIsShownSafely) {
  EXPECT_EQ(Problem("rules:\n- {name: \"\\e[2J\", allow: all, identities: any}"),
            "p.yaml:2: \"\\x1b[2J\" must be at most 1,024 bytes of ASCII, without control characters");
  EXPECT_NE(Problem("rules:\n- {name: " + std::string(1'025, 'a') + ", allow: all, identities: any}"), "");
  EXPECT_EQ(Problem("rules:\n- {allow: \"\\x1b[2J\", identities: any}").find('\x1b'), std::string::npos);
}

}  // namespace
}  // namespace socketeer::policy
