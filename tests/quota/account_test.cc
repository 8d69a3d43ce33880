#include "server/quota/account.h"

#include <gtest/gtest.h>

#include <optional>
#include <thread>
#include <vector>

#include "tests/support/manual_clock.h"

namespace socketeer::quota {
namespace {

using namespace std::chrono_literals;
using testing::ManualClock;

struct Bank {
  explicit Bank(const Allowance& own, const Allowance& all = {}) {
    total->Set(all, clock.Now());
    first->own().Set(own, clock.Now());
    second->own().Set(own, clock.Now());
  }
  ManualClock clock;
  std::shared_ptr<Pool> total = std::make_shared<Pool>("total");
  AccountPtr first = std::make_shared<Account>("uid:1", total, clock);
  AccountPtr second = std::make_shared<Account>("uid:2", total, clock);
};

Allowance Of(Count count, uint64_t allowed) {
  Allowance allowance;
  allowance.of(count) = allowed;
  return allowance;
}

Allowance Of(Rate rate, uint64_t per_second, uint64_t burst, WhenExceeded when = WhenExceeded::kDelay) {
  Allowance allowance;
  allowance.of(rate) = {.per_second = per_second, .burst = burst};
  allowance.when_exceeded = when;
  return allowance;
}

constexpr Count kAllCounts[] = {Count::kSockets, Count::kSessions, Count::kWaitingCalls, Count::kBufferedBytes,
                                Count::kWatchers};

TEST(Account, EachCountHasItsOwnErrorAndIsWholeAgain) {
  for (const Count count : kAllCounts) {
    Bank bank(Of(count, 2));
    std::vector<Hold> holds;
    for (int i = 0; i < 2; ++i) holds.push_back(*bank.first->Take(count));
    const auto refused = bank.first->Take(count);
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().reason, "LIMIT_REACHED");
    EXPECT_EQ(refused.error().code, base::Code::kResourceExhausted);
    EXPECT_EQ(refused.error().origin, base::Origin::kLimit);
    EXPECT_EQ(refused.error().metadata,
              (std::map<std::string, std::string>{
                  {"limit", std::string("quota.") + NameOf(count)}, {"allowed", "2"}, {"identity", "uid:1"}}));
    EXPECT_TRUE(bank.second->Take(count).ok());
    for (const Count other : kAllCounts) {
      if (other != count) {
        EXPECT_TRUE(bank.first->Take(other).ok());
      }
    }
    holds.pop_back();
    EXPECT_TRUE(bank.first->Take(count).ok());
    holds.clear();
    EXPECT_EQ(bank.first->own().used(count), 0u);
    EXPECT_EQ(bank.total->used(count), 0u);
  }
}

TEST(Account, WhatAllTogetherMayIsGivenBackByWhoIsRefused) {
  Bank bank(Of(Count::kSockets, 2), Of(Count::kSockets, 3));
  const Hold a = *bank.first->Take(Count::kSockets), b = *bank.first->Take(Count::kSockets),
             c = *bank.second->Take(Count::kSockets);
  const auto refused = bank.second->Take(Count::kSockets);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().metadata.at("identity"), "total");
  EXPECT_EQ(refused.error().metadata.at("allowed"), "3");
  EXPECT_EQ(bank.second->own().used(Count::kSockets), 1u);
  EXPECT_EQ(bank.total->used(Count::kSockets), 3u);
}

TEST(Account, AsMuchAsThereIsRoomFor) {
  Bank bank(Of(Count::kBufferedBytes, 100), Of(Count::kBufferedBytes, 120));
  EXPECT_EQ(*bank.first->TakeSome(Count::kBufferedBytes, 1, 80), 80u);
  EXPECT_EQ(*bank.first->TakeSome(Count::kBufferedBytes, 1, 80), 20u);
  EXPECT_FALSE(bank.first->TakeSome(Count::kBufferedBytes, 1, 80).ok());
  EXPECT_EQ(*bank.second->TakeSome(Count::kBufferedBytes, 1, 80), 20u);
  EXPECT_EQ(bank.second->own().used(Count::kBufferedBytes), 20u);
  EXPECT_EQ(bank.second->TakeSome(Count::kBufferedBytes, 1, 80).error().metadata.at("identity"), "total");
  bank.first->GiveBack(Count::kBufferedBytes, 100);
  bank.second->GiveBack(Count::kBufferedBytes, 20);
  EXPECT_EQ(bank.total->used(Count::kBufferedBytes), 0u);
}

TEST(Account, ALowerLimitTakesNothingAway) {
  Bank bank(Of(Count::kSockets, 2));
  std::optional<Hold> a = *bank.first->Take(Count::kSockets), b = *bank.first->Take(Count::kSockets);
  bank.first->own().Set(Of(Count::kSockets, 1), bank.clock.Now());
  a.reset();
  EXPECT_FALSE(bank.first->Take(Count::kSockets).ok());
  b.reset();
  EXPECT_TRUE(bank.first->Take(Count::kSockets).ok());
}

TEST(Account, AHoldMovesAndGivesBackOnce) {
  Bank bank({});
  Hold a = *bank.first->Take(Count::kSockets);
  Hold b = std::move(a);
  Hold c;
  c = std::move(b);
  EXPECT_EQ(bank.first->own().used(Count::kSockets), 1u);
  c.GiveBack();
  c.GiveBack();
  EXPECT_EQ(bank.first->own().used(Count::kSockets), 0u);
  c = *bank.first->Take(Count::kSockets);
  c = Hold();
  EXPECT_EQ(bank.first->own().used(Count::kSockets), 0u);
}

TEST(Account, ThreadsNeverGetMoreTogether) {
  Bank bank(Of(Count::kSockets, 10), Of(Count::kSockets, 15));
  std::atomic<int> most{0};
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&, account = i % 2 == 0 ? bank.first : bank.second] {
        for (int j = 0; j < 2'000; ++j) {
          std::vector<Hold> holds;
          for (int k = 0; k < 8; ++k) {
            auto taken = account->Take(Count::kSockets);
            if (taken.ok()) holds.push_back(*std::move(taken));
          }
          const int used = static_cast<int>(bank.total->used(Count::kSockets));
          for (int seen = most; seen < used && !most.compare_exchange_weak(seen, used);) {
          }
        }
      });
    }
  }
  EXPECT_LE(most, 15);
  EXPECT_EQ(bank.total->used(Count::kSockets), 0u);
  EXPECT_EQ(bank.first->own().used(Count::kSockets), 0u);
}

TEST(Account, ARateDelays) {
  Bank bank(Of(Rate::kOpens, 10, 2));
  for (int i = 0; i < 2; ++i) EXPECT_EQ(*bank.first->AskToOpen(), 0ns);
  EXPECT_EQ(*bank.first->AskToOpen(), 100ms);
  EXPECT_EQ(*bank.second->AskToOpen(), 0ns);
  bank.clock.Advance(100ms);
  EXPECT_EQ(*bank.first->AskToOpen(), 0ns);
}

TEST(Account, ARateRefuses) {
  Bank bank(Of(Rate::kOpens, 10, 1, WhenExceeded::kRefuse));
  EXPECT_EQ(*bank.first->AskWhetherToOpen(), 0ns);
  EXPECT_EQ(*bank.first->AskToOpen(), 0ns);
  const auto refused = bank.first->AskWhetherToOpen();
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().metadata,
            (std::map<std::string, std::string>{
                {"limit", "quota.opens_per_second"}, {"allowed", "10"}, {"identity", "uid:1"}}));
  bank.clock.Advance(100ms);
  EXPECT_EQ(*bank.first->AskToOpen(), 0ns);
}

TEST(Account, ARateOfAllTogether) {
  Bank bank(Of(Rate::kOpens, 10, 5), Of(Rate::kOpens, 10, 3, WhenExceeded::kRefuse));
  for (int i = 0; i < 3; ++i) EXPECT_EQ(*bank.first->AskToOpen(), 0ns);
  EXPECT_EQ(bank.second->AskToOpen().error().metadata.at("identity"), "total");
  // Who was refused is charged nothing.
  EXPECT_EQ(bank.second->own().bucket(Rate::kOpens).Available(bank.clock.Now()), 5u);
}

TEST(Account, BytesAreCountedForBoth) {
  Bank bank(Of(Rate::kBytes, 1'000'000, 250'000), Of(Rate::kBytes, 2'000'000, 500'000));
  EXPECT_TRUE(bank.first->limits_bytes());
  EXPECT_FALSE(bank.first->refuses_bytes());
  EXPECT_EQ(bank.first->BytesAtOnce(), 20'000u);
  bank.first->CountBytes(350'000);
  bank.second->CountBytes(200'000);
  EXPECT_GT(*bank.first->AskToMove(), 100ms);
  EXPECT_GT(*bank.second->AskToMove(), 25ms);
  EXPECT_FALSE(Bank({}).first->limits_bytes());
  EXPECT_TRUE(Bank({}, Of(Rate::kBytes, 1, 1, WhenExceeded::kRefuse)).first->refuses_bytes());
}

}  // namespace
}  // namespace socketeer::quota
