// Barriers: who passes, who is told what, and what is remembered.
#include "server/coordination/barriers.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <thread>

namespace socketeer::coordination {
namespace {

const BarrierKey kGo{.identity = "me", .id = "go"};

class BarriersTest : public ::testing::Test {
 protected:
  // What each party was told; absent: nothing yet.
  struct Party {
    std::optional<base::Result<Standing>> told;
    base::Status refused = base::Ok();
    std::string reason() const { return refused.ok() ? "" : refused.error().reason; }
  };

  std::shared_ptr<Party> Arrive(Arrival arrival) {
    arrival.caller = ++callers_;
    auto party = std::make_shared<Party>();
    party->refused = barriers_.Arrive(arrival, [party](base::Result<Standing> told) {
      EXPECT_FALSE(party->told) << "told twice";
      party->told = std::move(told);
    });
    return party;
  }
  std::shared_ptr<Party> Arrive(uint32_t parties) { return Arrive({.barrier = kGo, .parties = parties}); }

  Barriers barriers_{2};
  uint64_t callers_ = 0;
};

TEST_F(BarriersTest, TheLastOneLetsAllPassInTheirOrder) {
  const auto a = Arrive(3), b = Arrive(3);
  EXPECT_FALSE(a->told || b->told);
  EXPECT_EQ(barriers_.waiting(), 2u);
  const auto c = Arrive(3);
  uint32_t index = 0;
  for (const auto& each : {a, b, c}) {
    ASSERT_TRUE(each->told && each->told->ok());
    EXPECT_EQ((**each->told).index, index++);
    EXPECT_EQ((**each->told).generation, 1u);
    EXPECT_EQ((**each->told).arrived, 3u);
  }
  EXPECT_EQ(barriers_.waiting(), 0u);
}

TEST_F(BarriersTest, OfOnePassesAtOnce) { EXPECT_TRUE(Arrive(1)->told->ok()); }

TEST_F(BarriersTest, IsUsedAgain) {
  for (uint64_t generation = 1; generation <= 5; ++generation) {
    const uint32_t parties = generation % 2 == 0 ? 2 : 3;  // each may have its own number
    std::shared_ptr<Party> last;
    for (uint32_t i = 0; i < parties; ++i) last = Arrive(parties);
    EXPECT_EQ((**last->told).generation, generation);
  }
}

TEST_F(BarriersTest, IdentitiesDoNotMeet) {
  Arrive(2);
  EXPECT_FALSE(Arrive({.barrier = {.identity = "you", .id = "go"}, .parties = 2})->told);
  EXPECT_FALSE(Arrive({.barrier = {.identity = "", .id = "go"}, .parties = 2})->told);
  EXPECT_EQ(barriers_.waiting(), 3u);
}

TEST_F(BarriersTest, AnotherNumberOfPartiesIsRefusedAndTheOthersWait) {
  const auto a = Arrive(2);
  const auto b = Arrive(3);
  EXPECT_EQ(b->reason(), "BARRIER_PARTIES_DIFFER");
  EXPECT_EQ(b->refused.error().metadata.at("given"), "3");
  EXPECT_EQ(b->refused.error().metadata.at("allowed"), "2");
  EXPECT_FALSE(a->told);
  Arrive(2);
  EXPECT_TRUE(a->told->ok());
}

TEST_F(BarriersTest, ANameIsOnePartys) {
  Arrive({.barrier = kGo, .parties = 2, .party = "a"});
  EXPECT_EQ(Arrive({.barrier = kGo, .parties = 2, .party = "a"})->reason(), "BARRIER_PARTY_EXISTS");
  EXPECT_TRUE(Arrive({.barrier = kGo, .parties = 2, .party = "b"})->told->ok());
  EXPECT_EQ(Arrive({.barrier = kGo, .parties = 2, .party = "a"})->reason(), "") << "the next generation";
}

TEST_F(BarriersTest, WhoLeavesBreaksIt) {
  const auto a = Arrive(3);
  const auto b = Arrive({.barrier = kGo, .parties = 3, .party = "b"});
  const auto left = barriers_.Leave(kGo, callers_, "CANCELLED");
  ASSERT_TRUE(left);
  EXPECT_EQ(left->arrived, 2u);
  EXPECT_FALSE(b->told) << "whoever leaves ends by himself";
  ASSERT_TRUE(a->told && !a->told->ok());
  const base::Error& error = a->told->error();
  EXPECT_EQ(error.reason, "BARRIER_BROKEN");
  EXPECT_EQ(error.code, base::Code::kAborted);
  EXPECT_EQ(error.metadata, (std::map<std::string, std::string>{{"barrier", "barriers/go"},
                                                                {"generation", "1"},
                                                                {"arrived", "2"},
                                                                {"parties", "3"},
                                                                {"why", "CANCELLED"},
                                                                {"party", "b"}}));
  EXPECT_FALSE(barriers_.Leave(kGo, callers_, "CANCELLED")) << "once";
  // The next one to arrive begins the next generation.
  Arrive(2);
  EXPECT_EQ((**Arrive(2)->told).generation, 2u);
}

TEST_F(BarriersTest, WhoHasPassedCannotLeave) {
  Arrive(2);
  Arrive(2);
  EXPECT_FALSE(barriers_.Leave(kGo, callers_, "TIMED_OUT"));
  EXPECT_FALSE(barriers_.Leave({.identity = "me", .id = "never"}, callers_, "TIMED_OUT"));
}

TEST_F(BarriersTest, ADaemonThatStopsSaysThat) {
  const auto a = Arrive(3);
  Arrive(3);
  barriers_.Leave(kGo, callers_, "DRAINING");
  EXPECT_EQ(a->told->error().reason, "DRAINING");
}

TEST_F(BarriersTest, WhoMeansAGenerationIsToldWhatBecameOfIt) {
  const auto means = [&](uint64_t generation) {
    return Arrive({.barrier = kGo, .parties = 2, .generation = generation});
  };
  EXPECT_EQ(means(2)->reason(), "BARRIER_GENERATION") << "not reached yet";
  EXPECT_EQ(barriers_.size(), 0u) << "nobody was there";
  Arrive(2);
  EXPECT_TRUE(means(1)->told->ok());
  EXPECT_EQ(means(1)->reason(), "BARRIER_GENERATION") << "passed";
  means(2);
  barriers_.Leave(kGo, callers_, "SESSION_ENDED");
  const auto late = means(2);
  EXPECT_EQ(late->reason(), "BARRIER_BROKEN");
  EXPECT_EQ(late->refused.error().metadata.at("why"), "SESSION_ENDED");
  EXPECT_EQ(means(3)->reason(), "");
}

TEST_F(BarriersTest, OfThoseWhereNobodyWaitsFewAreRemembered) {
  const auto at = [](const std::string& id) { return Arrival{.barrier = {.identity = "me", .id = id}, .parties = 2}; };
  Arrive(at("busy"));
  for (int i = 0; i < 10; ++i) {
    Arrive(at("idle-" + std::to_string(i)));
    Arrive(at("idle-" + std::to_string(i)));
  }
  EXPECT_EQ(barriers_.size(), 1 + 3u) << "those that are remembered, and the last";
  EXPECT_EQ((**Arrive(at("busy"))->told).generation, 1u);
}

// Many arrive and leave at once: each ends exactly once, and whoever passes does so with as many as there were to be.
TEST_F(BarriersTest, ManyAtOnce) {
  constexpr int kThreads = 4, kRounds = 2'000;
  constexpr uint32_t kParties = 3;
  std::atomic<int> passed{0}, broken{0}, left{0};
  std::atomic<uint64_t> ids{1000};
  const auto run = [&] {
    for (int i = 0; i < kRounds; ++i) {
      const uint64_t id = ids.fetch_add(1);
      const auto told = [&](base::Result<Standing> standing) { ++(standing.ok() ? passed : broken); };
      EXPECT_TRUE(barriers_.Arrive({.barrier = kGo, .caller = id, .parties = kParties}, told).ok());
      if (i % 2 == 0 && barriers_.Leave(kGo, id, "CANCELLED")) ++left;
    }
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) threads.emplace_back(run);
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(passed % static_cast<int>(kParties), 0);
  EXPECT_EQ(passed + broken + left + static_cast<int>(barriers_.waiting()), kThreads * kRounds);
  EXPECT_GT(left, 0);
}

}  // namespace
}  // namespace socketeer::coordination
