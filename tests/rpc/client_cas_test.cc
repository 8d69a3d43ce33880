#include "server/rpc/client_cas.h"

#include <gtest/gtest.h>

#include "tests/support/certificates.h"

namespace socketeer::rpc {
namespace {

class ClientCasTest : public ::testing::Test {
 protected:
  bool Trusts(ClientCas& cas, const std::string& leaf) {
    return cas.Find(leaf, [this] {
      ++asked_;
      return std::string();
    }) != nullptr;
  }
  testing::TestAuthority ca_, twin_, other_{"another CA"};  // the first two have one name
  int asked_ = 0;
};

TEST_F(ClientCasTest, BelieveTheirOwnCertificates) {
  ClientCas one(ca_.cert()), both(ca_.cert() + other_.cert()), none("");
  const std::string own = ca_.Issue("DNS:a").cert, other = other_.Issue("DNS:a").cert;
  EXPECT_TRUE(Trusts(one, own));
  EXPECT_FALSE(Trusts(one, other));
  EXPECT_FALSE(Trusts(one, twin_.Issue("DNS:a").cert));
  EXPECT_TRUE(Trusts(both, own));
  EXPECT_TRUE(Trusts(both, other));
  EXPECT_FALSE(Trusts(none, own));
  for (const char* text : {"", "x"}) EXPECT_FALSE(Trusts(one, text)) << text;
}

TEST_F(ClientCasTest, ButNotThoseForServersOnly) {
  ClientCas cas(ca_.cert());
  EXPECT_FALSE(Trusts(cas, ca_.Issue("DNS:a", {}, "serverAuth").cert));
  EXPECT_TRUE(Trusts(cas, ca_.Issue("DNS:a", {}, "clientAuth").cert));
  EXPECT_TRUE(Trusts(cas, ca_.Issue("DNS:a", {}, "serverAuth,clientAuth").cert));
}

// Whether it is over is told with its time, by whoever has a clock.
TEST_F(ClientCasTest, DoNotLookAtTheTime) {
  ClientCas cas(ca_.cert());
  EXPECT_TRUE(Trusts(cas, ca_.Issue("DNS:a", {.begin = std::chrono::hours(-2), .end = std::chrono::hours(-1)}).cert));
}

TEST_F(ClientCasTest, LookOnceAtOneThatTheyBelieve) {
  ClientCas cas(ca_.cert());
  const std::string own = ca_.Issue("DNS:a").cert, other = twin_.Issue("DNS:a").cert;
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(Trusts(cas, own));
  EXPECT_EQ(asked_, 1);
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(Trusts(cas, other));
  EXPECT_EQ(asked_, 4) << "it may come with what leads to the CA the next time";
}

}  // namespace
}  // namespace socketeer::rpc
