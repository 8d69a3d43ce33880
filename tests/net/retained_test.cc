// What is kept until it is acknowledged, and how much of it, without a kernel.
#include "server/net/retained.h"

#include <gtest/gtest.h>

#include <thread>

#include "server/net/retained_budget.h"

namespace socketeer::net {
namespace {

void Append(RetainedBytes& kept, const std::string& bytes) { kept.Append(bytes.data(), bytes.size()); }

// "abcdefgh" from 0 on, acknowledged below `base`, given out below `given`.
RetainedBytes Kept(uint64_t base, uint64_t given, uint64_t end) {
  RetainedBytes kept;
  Append(kept, std::string("abcdefgh").substr(0, end));
  kept.GiveBelow(given);
  kept.DropBelow(base);
  return kept;
}

// Every situation of base <= given <= end, and every number that a call could name.
TEST(Retained, CanBeHadFromWhatIsKeptToWhatWasGiven) {
  for (uint64_t end = 0; end <= 6; ++end) {
    for (uint64_t given = 0; given <= end; ++given) {
      for (uint64_t base = 0; base <= given; ++base) {
        RetainedBytes kept = Kept(base, given, end);
        EXPECT_EQ(kept.base(), base);
        EXPECT_EQ(kept.given(), given);
        EXPECT_EQ(kept.end(), end);
        EXPECT_EQ(kept.payload(), end - base);
        EXPECT_EQ(*kept.Find(std::nullopt, "offset"), given);
        for (uint64_t number = 0; number <= end + 1; ++number) {
          const auto found = kept.Find(number, "offset");
          ASSERT_EQ(found.ok(), base <= number && number <= given) << number << " in " << base << given << end;
          if (found.ok()) {
            EXPECT_EQ(*found, number);
          } else {
            EXPECT_EQ(found.error().reason, "OFFSET_OUT_OF_RANGE");
            EXPECT_EQ(found.error().metadata.at("lowest"), std::to_string(base));
            EXPECT_EQ(found.error().metadata.at("next"), std::to_string(given));
          }
          if (number >= base && number < end) {
            EXPECT_EQ(*kept.At(number), "abcdefgh"[number]);
          }
        }
      }
    }
  }
}

TEST(Retained, GoesOnBehindWhatWasDroppedOrTaken) {
  for (uint64_t drop = 0; drop <= 6; ++drop) {
    for (uint64_t take = 0; drop + take <= 6; ++take) {
      RetainedBytes kept = Kept(0, 0, 6);
      kept.DropBelow(drop);
      EXPECT_EQ(kept.Take(take), std::string("abcdef").substr(drop, take));
      EXPECT_EQ(kept.base(), drop + take);
      EXPECT_EQ(kept.given(), drop + take);
      EXPECT_EQ(kept.end(), 6u);
      Append(kept, "xyz");
      EXPECT_EQ(kept.payload(), 9 - drop - take);
      EXPECT_EQ(kept.Take(kept.size()), std::string("abcdefxyz").substr(drop + take));
      EXPECT_EQ(kept.payload(), 0u);
    }
  }
}

TEST(Retained, WhatACallReceivesIsNotReadableForOthers) {
  RetainedBytes kept = Kept(1, 3, 6);
  EXPECT_EQ(kept.readable(), 5u);
  kept.BeginReceiving(3);
  EXPECT_EQ(kept.readable(), 2u);
  EXPECT_EQ(kept.held(), 3u);
  kept.EndReceiving();
  EXPECT_EQ(kept.readable(), 5u);
  kept.BeginReceiving(3);
  kept.Restart();
  EXPECT_FALSE(kept.receiving());
  EXPECT_EQ(kept.end(), 0u);
}

TEST(Retained, CountsPayloadsOfDatagrams) {
  RetainedDatagrams kept;
  for (const size_t size : {10, 20, 30}) {
    kept.Append({.payload = std::string(size, 'x'), .source = {}, .destination = {}, .true_size = size});
  }
  EXPECT_EQ(kept.payload(), 60u);
  kept.Truncate(1, 5);
  kept.Truncate(1, 15);
  EXPECT_EQ(kept.payload(), 45u);
  EXPECT_EQ(kept.At(1)->payload.size(), 5u);
  EXPECT_EQ(kept.At(1)->true_size, 20u);
  EXPECT_EQ(kept.Take(1).at(0).payload.size(), 10u);
  EXPECT_EQ(kept.payload(), 35u);
  kept.DropBelow(2);
  EXPECT_EQ(kept.payload(), 30u);
  kept.ForgetLast();
  EXPECT_EQ(kept.payload(), 0u);
  EXPECT_EQ(kept.end(), 2u) << "the next one has its number";
}

TEST(RetainedBudget, BoundsEachSocketAndAllTogether) {
  RetainedBudget budget(100, 150);
  RetainedCharge a(budget), b(budget);
  EXPECT_EQ(*a.Reserve(1, 80), 80u);
  EXPECT_EQ(*a.Reserve(1, 80), 20u) << "what is left";
  EXPECT_EQ(a.Reserve(1, 1).error().metadata.at("limit"), "max_retained_bytes_per_socket");
  EXPECT_EQ(*b.Reserve(1, 80), 50u);
  EXPECT_EQ(b.Reserve(1, 1).error().metadata.at("limit"), "max_retained_bytes");
  EXPECT_EQ(b.Reserve(1, 1).error().metadata.at("allowed"), "150");
  EXPECT_EQ(budget.used(), 150u);
  a.Settle(10);
  EXPECT_EQ(budget.used(), 60u);
  EXPECT_FALSE(b.Reserve(51, 51).ok()) << "all of it or nothing";
  EXPECT_EQ(*b.Reserve(50, 50), 50u);
  {
    RetainedCharge c(budget);
    EXPECT_EQ(*c.Reserve(1, 100), 40u);
  }
  EXPECT_EQ(budget.used(), 110u) << "who goes takes nothing along";
  a.Settle(0);
  b.Settle(0);
  EXPECT_EQ(budget.used(), 0u);
}

TEST(RetainedBudget, IsNeverExceeded) {
  const uint64_t kMax = 1'000;
  RetainedBudget budget(kMax, kMax);
  const auto charge = [&budget, kMax] {
    RetainedCharge mine(budget);
    for (uint64_t i = 0; i < 20'000; ++i) {
      const auto granted = mine.Reserve(1 + i % 7, 1 + i % 600);
      ASSERT_LE(budget.used(), kMax);
      if (granted.ok()) mine.Settle(i % 3 == 0 ? *granted / 2 : 0);
      mine.Settle(0);
    }
  };
  std::thread first(charge), second(charge);
  first.join();
  second.join();
  EXPECT_EQ(budget.used(), 0u);
}

// Once an assigned-to string kept all that it ever held, charged to nobody.
TEST(RetainedBytes, WhatIsAcknowledgedCostsNoMemory) {
  RetainedBytes kept;
  const std::string much(1 << 20, 'x');
  kept.Append(much.data(), much.size());
  kept.GiveBelow(much.size());
  kept.DropBelow(much.size() - 10);
  EXPECT_LE(kept.capacity(), 100u);
  kept.DropBelow(much.size());
  EXPECT_LE(kept.capacity(), 100u);
  kept.Append(much.data(), much.size());
  kept.Restart();
  EXPECT_LE(kept.capacity(), 100u);
}

}  // namespace
}  // namespace socketeer::net
