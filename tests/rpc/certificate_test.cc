#include "server/rpc/certificate.h"

#include <gtest/gtest.h>

#include <string>

#include "server/rpc/certificate_name.h"
#include "tests/support/certificates.h"

namespace socketeer::rpc {
namespace {

class Certificate : public ::testing::Test {
 protected:
  std::string IdentityBy(const std::string& san) const { return FactsOf(ca_.Issue(san).cert).identity; }
  testing::TestAuthority ca_;
};

TEST_F(Certificate, IsWhoItsUriSaysElseItsDnsName) {
  EXPECT_EQ(IdentityBy("URI:spiffe://lab/agent"), "spiffe://lab/agent");
  EXPECT_EQ(IdentityBy("DNS:a.lab,URI:spiffe://lab/agent,URI:spiffe://lab/second"), "spiffe://lab/agent");
  EXPECT_EQ(IdentityBy("DNS:a.lab,DNS:b.lab"), "dns:a.lab");
  EXPECT_EQ(IdentityBy("URI:https://lab/agent"), "https://lab/agent");
}

TEST_F(Certificate, WithoutSuchNamesIsNobody) {
  for (const char* san : {"", "IP:10.0.0.1", "email:agent@lab", "RID:1.2.3.4"}) EXPECT_EQ(IdentityBy(san), "") << san;
}

// Else a CA for agents could make an administrator of the host.
TEST_F(Certificate, DoesNotPassForAnotherSortOfIdentity) {
  for (const char* uri : {"uid:0", "UID:0", "token:a", "Token:a", "dns:a.lab", "anonymous:", "anonymous", "none"}) {
    EXPECT_EQ(IdentityBy(std::string("URI:") + uri), "") << uri;
    EXPECT_EQ(IdentityBy(std::string("DNS:a.lab,URI:") + uri), "") << uri;  // nor for a name beside it
  }
}

TEST_F(Certificate, NamesThatCannotBeShownCountAsNone) {
  EXPECT_EQ(IdentityBy("URI:spiffe://lab/a b"), "");
  EXPECT_EQ(IdentityBy("URI:spiffe://lab/\x7f"), "");
  EXPECT_EQ(IdentityBy("DNS:\xc3\xa9.lab"), "");
  const std::string longest = "spiffe://" + std::string(kMaxIdentityBytes - 9, 'x');
  EXPECT_EQ(IdentityBy("URI:" + longest), longest);
  EXPECT_EQ(IdentityBy("URI:" + longest + "x"), "");
}

// A rule's pattern, or nothing that a rule could name.
TEST_F(Certificate, PatternsAndWhatIsNoUriNameNobody) {
  for (const char* uri : {"*",
                          "**",
                          "://",
                          ":",
                          "spiffe:",
                          "spiffe://",
                          "spiffe:///agent",
                          "://lab/agent",
                          "spiffe://lab/*",
                          "spiffe://*/agent",
                          "*://lab/agent",
                          "urn:*",
                          "1spiffe://lab/agent",
                          "spi_ffe://lab",
                          "/lab/agent",
                          "spiffe://lab/a%2",
                          "spiffe://lab/%zz",
                          "spiffe://lab/a\"b",
                          "spiffe://lab/<a>",
                          "spiffe://lab/a\\b",
                          "spiffe://lab/[a]",
                          "spiffe://lab/a#b#c"}) {
    EXPECT_EQ(IdentityOfUri(uri), "") << uri;
  }
  for (const char* uri : {"spiffe://lab/agent", "urn:uuid:0-1", "https://[::1]:1/a?b=c#d", "spiffe://lab/%2a", "a:b",
                          "spiffe://lab/a;b,c=(d)!~'$&+@:._-", "https://user@lab", "mailto:a@lab"}) {
    EXPECT_EQ(IdentityOfUri(uri), uri);
  }
  for (const char* name : {"*", "*.lab", "a.*", ".", ".lab", "lab.", "a..lab", "-a.lab", "a-.lab", "a b", "a/b", "a:b",
                           "a,b", "\xc3\xa9.lab"}) {
    EXPECT_EQ(IdentityOfDns(name), "") << name;
  }
  EXPECT_EQ(IdentityOfDns(std::string(63, 'a') + ".lab"), "dns:" + std::string(63, 'a') + ".lab");
  EXPECT_EQ(IdentityOfDns(std::string(64, 'a') + ".lab"), "");
  std::string longest;
  for (int i = 0; i < 126; ++i) longest += "a.";
  EXPECT_EQ(IdentityOfDns(longest + "b"), "dns:" + longest + "b");
  EXPECT_EQ(IdentityOfDns(longest + "bc"), "");
  EXPECT_EQ(IdentityBy("DNS:*.lab"), "");
  EXPECT_EQ(IdentityBy("DNS:*.lab,DNS:a.lab"), "") << "the first is the name";
  EXPECT_EQ(IdentityBy("DNS:a.lab,URI:spiffe://lab/*"), "");
}

// DNS knows no case: two certificates for one name are one caller.
TEST_F(Certificate, DnsNamesAreInSmallLetters) {
  EXPECT_EQ(IdentityBy("DNS:Agent-1.LAB"), "dns:agent-1.lab");
  EXPECT_EQ(IdentityBy("DNS:_x.0.lab"), "dns:_x.0.lab");
}

TEST_F(Certificate, ExpiresWhenItSays) {
  const auto before = std::chrono::system_clock::now();
  const auto facts = FactsOf(ca_.Issue("DNS:a", {.end = std::chrono::seconds(1000)}).cert);
  EXPECT_GE(facts.expires, before + std::chrono::seconds(999));
  EXPECT_LE(facts.expires, std::chrono::system_clock::now() + std::chrono::seconds(1000));
  // No end at all, as RFC 5280 writes it, must not overflow into the past.
  const auto endless = FactsOf(ca_.Issue("DNS:a", {.end = std::chrono::hours(24 * 365 * 7000)}).cert);
  EXPECT_GT(endless.expires, before + std::chrono::hours(24 * 365 * 100));
}

TEST_F(Certificate, WhatIsNoneIsNobodyAndOver) {
  const std::string whole = ca_.Issue("DNS:a").cert;
  for (const std::string& pem : {std::string(), std::string("x"), whole.substr(0, whole.size() / 2),
                                 std::string("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")}) {
    EXPECT_EQ(FactsOf(pem).identity, "");
    EXPECT_EQ(FactsOf(pem).expires, base::WallTime());
    EXPECT_TRUE(ReadCertificates(pem).empty());
  }
  EXPECT_EQ(ReadCertificates(whole + ca_.cert()).size(), 2u);
  EXPECT_TRUE(ReadCertificates(whole + whole.substr(0, 100)).empty()) << "half of a file is not what was meant";
}

TEST_F(Certificate, TimesAreWrittenAsTheApiDoes) {
  EXPECT_EQ(TextOf(base::WallTime(std::chrono::seconds(1'000'000'000))), "2001-09-09T01:46:40Z");
}

TEST_F(Certificate, TheCacheAnswersAsTheCertificate) {
  CertificateCache cache;
  std::vector<std::string> pems;
  for (int i = 0; i < 40; ++i) pems.push_back(ca_.Issue("DNS:a" + std::to_string(i)).cert);
  for (int round = 0; round < 3; ++round) {
    for (size_t i = 0; i < pems.size(); ++i) {
      EXPECT_EQ(cache.FactsOf(pems[i]).identity, "dns:a" + std::to_string(i));
    }
  }
  for (int i = 0; i < 3000; ++i) cache.FactsOf("x" + std::to_string(i));  // beyond its size
  EXPECT_EQ(cache.FactsOf(pems[0]).identity, "dns:a0");
}

}  // namespace
}  // namespace socketeer::rpc
