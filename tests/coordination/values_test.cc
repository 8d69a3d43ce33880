// Published values: whose they are, who sees them, and with what they end.
#include "server/coordination/values.h"

#include <gtest/gtest.h>

#include "server/registry/sessions.h"
#include "tests/support/manual_clock.h"

namespace socketeer::coordination {
namespace {

constexpr registry::Terms kTerms{.ttl = std::chrono::seconds(10), .grace = {}};

base::Limits FewValues() {
  base::Limits limits = base::DefaultLimits(1000);
  limits.max_values = 3;
  limits.max_values_per_identity = 2;
  return limits;
}

class ValuesTest : public ::testing::Test {
 protected:
  registry::SessionPtr Session(const std::string& owner) { return *sessions_.Create(owner, "", kTerms); }
  std::string Publish(const registry::SessionPtr& session, const std::string& id, const std::string& data,
                      bool shared = false) {
    const auto published = values_.Publish(session, id, data, shared);
    return published.ok() ? "" : published.error().reason;
  }
  // Its data; "-" if there is none for him.
  std::string Seen(const std::string& id, const std::string& identity, const std::string& owner = "") {
    const ValuePtr value = values_.Find({.id = id, .identity = identity, .owner = owner});
    return value ? value->data : "-";
  }
  void End(const registry::SessionPtr& session) {
    sessions_.End(session, registry::CloseReason::kLeaseExpired);
    values_.EndSession(*session);
  }

  testing::ManualClock clock_;
  registry::Sessions sessions_{FewValues(), clock_};
  Values values_{FewValues(), clock_};
  registry::SessionPtr mine_ = Session("me");
  registry::SessionPtr yours_ = Session("you");
};

TEST_F(ValuesTest, AreTheirIdentitysUnlessShared) {
  EXPECT_EQ(Publish(mine_, "a", "1"), "");
  EXPECT_EQ(Seen("a", "me"), "1");
  EXPECT_EQ(Seen("a", "you"), "-");
  EXPECT_EQ(Publish(mine_, "a", "2", true), "");
  EXPECT_EQ(Seen("a", "you"), "2");
  EXPECT_EQ(Seen("a", "you", "me"), "2");
  EXPECT_EQ(Seen("a", "you", "somebody"), "-");
  EXPECT_EQ(Publish(mine_, "a", "3"), "");
  EXPECT_EQ(Seen("a", "you"), "-") << "it counts for each value anew";
}

TEST_F(ValuesTest, NobodyElseTouchesThem) {
  Publish(mine_, "a", "1", true);
  EXPECT_EQ(Publish(yours_, "a", "2"), "VALUE_EXISTS");
  EXPECT_EQ(values_.Withdraw("you", "a").error().reason, "VALUE_NOT_FOUND");
  EXPECT_EQ(Seen("a", "me"), "1");
  EXPECT_EQ((*values_.Withdraw("me", "a"))->data, "1");
  EXPECT_EQ(Publish(yours_, "a", "2"), "");
}

TEST_F(ValuesTest, OnlyTheOneThatWasMeantIsWithdrawn) {
  const uint64_t first = (*values_.Publish(mine_, "a", "1", false))->revision;
  Publish(mine_, "a", "2");
  EXPECT_EQ(values_.Withdraw("me", "a", first).error().reason, "VALUE_NOT_FOUND");
  EXPECT_EQ(Seen("a", "me"), "2");
  EXPECT_TRUE(values_.Withdraw("me", "a", first + 1).ok());
}

TEST_F(ValuesTest, EndWithTheSessionThatTheyWerePublishedInLast) {
  const auto second = Session("me");
  Publish(mine_, "a", "1");
  Publish(mine_, "b", "1");
  Publish(second, "b", "2");
  End(mine_);
  EXPECT_EQ(Seen("a", "me"), "-");
  EXPECT_EQ(Seen("b", "me"), "2");
  EXPECT_EQ(Publish(mine_, "a", "1"), "SESSION_ENDED");
  End(second);
  EXPECT_EQ(values_.size(), 0u);
}

TEST_F(ValuesTest, AreBounded) {
  Publish(mine_, "a", "");
  Publish(mine_, "b", "");
  const auto third = values_.Publish(mine_, "c", "", false);
  EXPECT_EQ(third.error().metadata.at("limit"), "max_values_per_identity");
  EXPECT_EQ(Publish(mine_, "b", "again"), "") << "takes no other place";
  Publish(yours_, "d", "");
  EXPECT_EQ(values_.Publish(yours_, "e", "", false).error().metadata.at("limit"), "max_values");
  End(mine_);
  EXPECT_EQ(Publish(yours_, "e", ""), "");
  const auto again = Session("me");
  EXPECT_EQ(Publish(again, "f", ""), "") << "what ended counts no more";
}

TEST_F(ValuesTest, WhoWaitsIsToldOnce) {
  std::vector<std::string> told;
  const auto wait = [&](Wanted wanted, uint64_t waiter) {
    return values_.FindOrWait(wanted, waiter, [&told, waiter](const ValuePtr& value) {
      told.push_back(std::to_string(waiter) + ":" + value->data);
    });
  };
  EXPECT_EQ(wait({.id = "a", .identity = "me"}, 1), nullptr);
  EXPECT_EQ(wait({.id = "a", .identity = "you"}, 2), nullptr);
  EXPECT_EQ(wait({.id = "b", .identity = "me"}, 3), nullptr);
  EXPECT_EQ(wait({.id = "a", .identity = "me"}, 4), nullptr);
  EXPECT_TRUE(values_.StopWaiting("a", 4));
  Publish(mine_, "a", "1");
  EXPECT_EQ(told, std::vector<std::string>{"1:1"});
  EXPECT_FALSE(values_.StopWaiting("a", 1));
  Publish(mine_, "a", "2", true);
  EXPECT_EQ(told.back(), "2:2") << "when he may see it";
  EXPECT_EQ(wait({.id = "a", .identity = "you"}, 5)->data, "2");
}

TEST_F(ValuesTest, ANewerOneIsWaitedForAlsoAcrossAWithdrawal) {
  const uint64_t first = (*values_.Publish(mine_, "a", "1", false))->revision;
  std::string told;
  const auto appeared = [&](const ValuePtr& value) { told = value->data; };
  EXPECT_EQ(values_.FindOrWait({.id = "a", .identity = "me", .after_revision = first}, 1, appeared), nullptr);
  (void)values_.Withdraw("me", "a");
  EXPECT_EQ(told, "");
  Publish(mine_, "b", "other");
  Publish(mine_, "a", "2");
  EXPECT_EQ(told, "2");
}

TEST_F(ValuesTest, ListsHavePages) {
  Publish(mine_, "a", "");
  Publish(yours_, "b", "", true);
  Publish(mine_, "c", "");
  const auto ids = [&](const std::string& who, bool shared, const std::string& after, size_t limit) {
    std::string text;
    const auto [page, more] = values_.List(who, shared, after, limit);
    for (const ValuePtr& value : page) text += value->id;
    return text + (more ? "+" : "");
  };
  EXPECT_EQ(ids("me", true, "", 2), "ab+");
  EXPECT_EQ(ids("me", true, "b", 2), "c");
  EXPECT_EQ(ids("me", false, "", 2), "ac");
  EXPECT_EQ(ids("you", true, "", 9), "b");
}

}  // namespace
}  // namespace socketeer::coordination
