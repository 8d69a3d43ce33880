// With whom a socket is shared, and who is told to end when it is not any more.
#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "server/registry/registry.h"

namespace socketeer::registry {
namespace {

class SharingTest : public ::testing::Test {
 protected:
  static base::Limits Limits() {
    base::Limits limits = base::DefaultLimits(20'000);
    limits.max_grants_per_socket = 3;
    limits.max_remembered_changes = 100;
    return limits;
  }
  RecordPtr Publish(const std::string& id) {
    auto record = *registry_.Reserve(id, session_, {}, nullptr, 1);
    EXPECT_TRUE(registry_.Publish(record).ok());
    return record;
  }
  std::string Share(const std::string& identity, Access access) {
    auto shared = registry_.Share(socket_, identity, access);
    return shared.ok() ? "shared" : shared.error().reason;
  }
  std::string Find(const std::string& identity, Access need = Access::kUse) {
    auto found = registry_.Find("web", "", identity, need);
    return found.ok() ? "found" : found.error().reason;
  }
  // "entered", or why not; what ends it is written down.
  std::string Enter(const std::string& identity, Access need, uint64_t id) {
    auto status = registry_.Enter(socket_, identity, need, id, [this, id](const base::Error& why) {
      ended_.push_back(std::to_string(id) + why.reason);
    });
    return status.ok() ? "entered" : status.error().reason;
  }
  void Label(const std::string& value) {
    EXPECT_TRUE(registry_.UpdateLabels(socket_, [&](Labels& labels) { labels["n"] = value; }).ok());
  }
  uint64_t Now() { return registry_.Snapshot("nobody").second; }
  // The kinds of what somebody is told behind a revision; a change that he may not see any more is none.
  std::string Told(const std::string& identity, uint64_t revision) {
    std::string kinds;
    const auto changes = registry_.ChangesBehind(&revision, identity, 1'000);
    for (const Change& change : *changes) {
      if (!registry_.Look(change, identity)) continue;
      kinds += "?SOUCGW"[static_cast<int>(change.kind)];
    }
    return kinds;
  }

  Registry registry_{Limits(), base::SystemClock()};
  const SessionPtr session_ =
      std::make_shared<Session>("standing", "me", Terms{}, base::WallTime(), base::MonotonicTime());
  const RecordPtr socket_ = Publish("web");
  std::vector<std::string> ended_;
};

using Texts = std::vector<std::string>;

TEST_F(SharingTest, WhoMayDoWhat) {
  EXPECT_EQ(Find("me", Access::kOwn), "found");
  EXPECT_EQ(Find("you", Access::kObserve), "SOCKET_NOT_FOUND");
  EXPECT_EQ(Share("you", Access::kObserve), "shared");
  EXPECT_EQ(Find("you", Access::kObserve), "found");
  EXPECT_EQ(Find("you", Access::kUse), "GRANT_INSUFFICIENT");
  EXPECT_EQ(Share("you", Access::kUse), "shared");
  EXPECT_EQ(Find("you", Access::kUse), "found");
  EXPECT_EQ(Find("you", Access::kOwn), "GRANT_INSUFFICIENT");
  EXPECT_EQ(Find("they", Access::kObserve), "SOCKET_NOT_FOUND");
  EXPECT_EQ(Share("you", Access::kNone), "shared");
  EXPECT_EQ(Find("you", Access::kObserve), "SOCKET_NOT_FOUND");
  EXPECT_EQ(Share("you", Access::kNone), "GRANT_NOT_FOUND");
}

TEST_F(SharingTest, EachSeesHisOwnGrant) {
  Share("you", Access::kUse);
  Share("they", Access::kObserve);
  const Grant you{"you", Access::kUse}, they{"they", Access::kObserve};
  EXPECT_EQ(registry_.LookAs(socket_, "me", true)->grants, (std::vector<Grant>{they, you}));
  EXPECT_EQ(registry_.LookAs(socket_, "you", true)->grants, (std::vector<Grant>{you}));
  EXPECT_EQ(registry_.LookAs(socket_, "you", true)->session, "");
  EXPECT_TRUE(registry_.LookAs(socket_, "me")->grants.empty());
  EXPECT_FALSE(registry_.LookAs(socket_, "nobody", true));
  // Lists have none, for they may be long.
  EXPECT_TRUE(registry_.List("me", Filter(), "", 9).first.at(0).grants.empty());
  const auto page = registry_.List("they", Filter(), "", 9).first;
  ASSERT_EQ(page.size(), 1u);
  EXPECT_EQ(page[0].access, Access::kObserve);
  EXPECT_TRUE(registry_.List("nobody", Filter(), "", 9).first.empty());
  // "sessions/standing" is the name of a session of everybody's.
  EXPECT_TRUE(registry_.List("you", *Filter::Parse("session = sessions/standing"), "", 9).first.empty());
}

TEST_F(SharingTest, AsManyAsMayBe) {
  for (const char* who : {"a", "b", "c"}) EXPECT_EQ(Share(who, Access::kUse), "shared");
  EXPECT_EQ(Share("d", Access::kUse), "LIMIT_REACHED");
  EXPECT_EQ(Share("a", Access::kObserve), "shared");
  EXPECT_EQ(Share("b", Access::kNone), "shared");
  EXPECT_EQ(Share("d", Access::kUse), "shared");
}

TEST_F(SharingTest, WithdrawingEndsWhatNeedsIt) {
  EXPECT_EQ(Enter("you", Access::kObserve, 1), "SOCKET_NOT_FOUND");
  Share("you", Access::kUse);
  Share("they", Access::kUse);
  EXPECT_EQ(Enter("you", Access::kOwn, 1), "GRANT_INSUFFICIENT");
  EXPECT_EQ(Enter("you", Access::kUse, 2), "entered");
  EXPECT_EQ(Enter("you", Access::kObserve, 3), "entered");
  EXPECT_EQ(Enter("you", Access::kUse, 4), "entered");
  EXPECT_EQ(Enter("they", Access::kUse, 5), "entered");
  EXPECT_EQ(Enter("me", Access::kOwn, 6), "entered");
  registry_.Leave(socket_, 4);
  Share("you", Access::kObserve);
  EXPECT_EQ(ended_, Texts{"2GRANT_WITHDRAWN"});
  Share("you", Access::kNone);
  // The second is still there, so it is told once more: who withdraws must not go on before it was.
  EXPECT_EQ(ended_, (Texts{"2GRANT_WITHDRAWN", "2GRANT_WITHDRAWN", "3GRANT_WITHDRAWN"}));
  EXPECT_EQ(Enter("you", Access::kObserve, 7), "SOCKET_NOT_FOUND");
  for (uint64_t id = 1; id < 8; ++id) registry_.Leave(socket_, id);
  Share("they", Access::kNone);
  EXPECT_EQ(ended_.size(), 3u);
}

TEST_F(SharingTest, GrantsEndWithTheSocket) {
  Share("you", Access::kUse);
  const uint64_t before = Now();
  socket_->OnClosing();
  socket_->OnClosed();
  EXPECT_EQ(Share("they", Access::kUse), "SOCKET_CLOSED");
  EXPECT_EQ(Find("you"), "SOCKET_CLOSED");
  EXPECT_TRUE(registry_.FindClosed("web", "", "you"));
  EXPECT_FALSE(registry_.FindClosed("web", "", "they"));
  EXPECT_EQ(Told("you", before), "C");
  EXPECT_EQ(Told("they", before), "");
  const RecordPtr next = Publish("web");
  EXPECT_FALSE(registry_.LookAs(next, "you"));
}

TEST_F(SharingTest, WhoWaitsForTheNameIsTold) {
  Texts told;
  const auto wait = [&](const std::string& who, const std::string& uid, net::WaiterId id) {
    return registry_.FindOrWait("web", uid, who, id,
                                [&told, who](RecordPtr record) { told.push_back(who + record->id()); });
  };
  EXPECT_EQ(wait("you", "", 1), nullptr);
  EXPECT_EQ(wait("you", "of another", 2), nullptr);
  EXPECT_EQ(wait("they", "", 3), nullptr);
  Share("you", Access::kObserve);
  EXPECT_EQ(told, Texts{"youweb"});
  Share("you", Access::kUse);
  EXPECT_EQ(told.size(), 1u);
  EXPECT_EQ(wait("you", "", 4), socket_);
}

TEST_F(SharingTest, AWatchTellsWhatWasSharedWhenItWas) {
  const uint64_t start = Now();
  Label("1");
  Share("you", Access::kObserve);
  Label("2");
  Share("you", Access::kUse);
  Share("you", Access::kUse);  // as it is: no change
  EXPECT_EQ(Told("you", start), "GUU");
  EXPECT_EQ(Told("me", start), "UUUU");
  EXPECT_EQ(Told("they", start), "");
  // Others' grants are nobody's business but the owner's.
  Share("they", Access::kObserve);
  Share("they", Access::kNone);
  EXPECT_EQ(Told("you", start), "GUU");
  EXPECT_EQ(registry_.Snapshot("you").first.size(), 1u);
  Share("you", Access::kNone);
  Label("secret");
  // Also of the time before: nothing but that it is gone.
  EXPECT_EQ(Told("you", start), "W");
  EXPECT_EQ(Told("me", start), "UUUUUUUU");
  EXPECT_TRUE(registry_.Snapshot("you").first.empty());
  Share("you", Access::kUse);
  Label("3");
  EXPECT_EQ(Told("you", start), "WGU");
}

TEST_F(SharingTest, WhatWasReadBeforeIsNotToldAfter) {
  Share("you", Access::kUse);
  const auto snapshot = registry_.Snapshot("you").first;
  uint64_t revision = Now() - 1;
  const auto changes = registry_.ChangesBehind(&revision, "you", 9);
  ASSERT_EQ(changes->size(), 1u);
  EXPECT_TRUE(registry_.Look(snapshot.at(0), "you"));
  Share("you", Access::kNone);
  EXPECT_FALSE(registry_.Look(snapshot.at(0), "you"));
  EXPECT_FALSE(registry_.Look(changes->at(0), "you"));
  revision = Now() - 1;
  const auto gone = registry_.ChangesBehind(&revision, "you", 9);
  const auto bare = registry_.Look(gone->at(0), "you");
  ASSERT_TRUE(bare);
  EXPECT_EQ(bare->name, "sockets/web");
  EXPECT_EQ(bare->uid, socket_->uid());
  EXPECT_EQ(bare->owner, "");
}

// Nobody is in who was not told to leave, and nobody is told twice.
TEST_F(SharingTest, EnteringAndWithdrawingAtOnce) {
  std::atomic<bool> over{false};
  std::atomic<int> inside{0};
  std::vector<std::thread> threads;
  for (uint64_t who = 1; who <= 3; ++who) {
    threads.emplace_back([&, who] {
      for (uint64_t id = who * 1'000'000; !over.load(); ++id) {
        const auto told = std::make_shared<std::atomic<bool>>(false);
        const auto entered = registry_.Enter(socket_, "you", Access::kUse, id, [told, &inside](const base::Error&) {
          if (!told->exchange(true)) inside.fetch_sub(1);
        });
        if (!entered.ok()) continue;
        inside.fetch_add(1);
        // Whoever is in can count on being told.
        while (!told->load()) std::this_thread::yield();
        registry_.Leave(socket_, id);
      }
    });
  }
  for (int round = 0; round < 2'000; ++round) {
    ASSERT_EQ(Share("you", Access::kUse), "shared");
    ASSERT_EQ(Share("you", Access::kNone), "shared");
  }
  over.store(true);
  Share("you", Access::kUse);
  Share("you", Access::kNone);
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(inside.load(), 0);
}

}  // namespace
}  // namespace socketeer::registry
