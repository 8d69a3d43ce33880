#include "server/quota/quotas.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/support/manual_clock.h"

namespace socketeer::quota {
namespace {

using namespace std::chrono_literals;
using testing::ManualClock;

Rules SocketsOf(const std::string& pattern, uint64_t allowed) {
  Rules rules;
  rules.rules.push_back({.identities = {pattern}, .allowance = {}});
  rules.rules.back().allowance.of(Count::kSockets) = allowed;
  return rules;
}

TEST(Quotas, TheFirstRuleThatMatchesCounts) {
  const ManualClock clock;
  Quotas quotas(clock);
  Rules rules = SocketsOf("token:ci", 1);
  rules.rules.push_back(SocketsOf("token:*", 2).rules[0]);
  quotas.Enforce(rules);
  EXPECT_EQ(quotas.Of("token:ci")->own().allowed(Count::kSockets), 1u);
  EXPECT_EQ(quotas.Of("token:other")->own().allowed(Count::kSockets), 2u);
  EXPECT_EQ(quotas.Of("uid:0")->own().allowed(Count::kSockets), kUnlimited);
}

TEST(Quotas, AnIdentityHasOneAccount) {
  const ManualClock clock;
  Quotas quotas(clock);
  EXPECT_EQ(quotas.Of("uid:1"), quotas.Of("uid:1"));
  EXPECT_NE(quotas.Of("uid:1"), quotas.Of("uid:2"));
}

TEST(Quotas, NewRulesAreForThoseWhoAreThere) {
  const ManualClock clock;
  Quotas quotas(clock);
  const AccountPtr account = quotas.Of("uid:1");
  quotas.Enforce(SocketsOf("uid:*", 0));
  EXPECT_FALSE(account->Take(Count::kSockets).ok());
  Rules all;
  all.total.of(Count::kSockets) = 0;
  quotas.Enforce(all);
  EXPECT_EQ(account->Take(Count::kSockets).error().metadata.at("identity"), "total");
  quotas.Enforce({});
  EXPECT_TRUE(account->Take(Count::kSockets).ok());
}

TEST(Quotas, ThoseWhoAreIdleAreForgotten) {
  const ManualClock clock;
  Quotas quotas(clock);
  for (int i = 0; i < 100'000; ++i) quotas.Of("uid:" + std::to_string(i));
  EXPECT_LE(quotas.size(), 128u);
}

// To come back under the same name must not be a way around it.
TEST(Quotas, WhoOwesSomethingIsRemembered) {
  ManualClock clock;
  Quotas quotas(clock);
  Rules rules = SocketsOf("uid:*", 1);
  rules.rules[0].allowance.of(Rate::kBytes) = {.per_second = 1'000, .burst = 1'000};
  quotas.Enforce(rules);
  quotas.Of("uid:debtor")->CountBytes(100'000);
  const Hold held = *quotas.Of("uid:holder")->Take(Count::kSockets);
  for (int i = 0; i < 1'000; ++i) quotas.Of("uid:" + std::to_string(i));
  EXPECT_GT(*quotas.Of("uid:debtor")->AskToMove(), 0ns);
  EXPECT_FALSE(quotas.Of("uid:holder")->Take(Count::kSockets).ok());
  clock.Advance(1h);
  EXPECT_EQ(*quotas.Of("uid:debtor")->AskToMove(), 0ns);
}

}  // namespace
}  // namespace socketeer::quota
