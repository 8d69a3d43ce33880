// Who waits for names, and for whom: with a name server that answers when the test says so.
#include "server/net/resolver.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <algorithm>
#include <condition_variable>
#include <latch>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace socketeer::net {
namespace {

using Names = std::vector<std::string>;

// Takes each name when it is asked, and answers when the test says so. Thread-safe.
class SlowServer {
 public:
  // The answer is an address that says nothing.
  Resolver::Ask Asked() {
    return [this](const Resolver::Query& query) -> Resolver::Answer {
      std::unique_lock lock(mutex_);
      asked_.push_back(query.host);
      changed_.notify_all();
      changed_.wait(lock, [&] { return answered_all_ || answered_.contains(query.host); });
      return std::vector{SocketAddress::Any4(query.port)};
    };
  }
  void Answer(const std::string& host) {
    std::lock_guard lock(mutex_);
    answered_.insert(host);
    changed_.notify_all();
  }
  void AnswerAll() {
    std::lock_guard lock(mutex_);
    answered_all_ = true;
    changed_.notify_all();
  }
  // The names in the order in which they were asked for, once there are so many.
  Names Await(size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return asked_.size() >= count; });
    return asked_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  Names asked_;
  std::set<std::string> answered_;
  bool answered_all_ = false;
};

class ResolverTest : public ::testing::Test {
 protected:
  ~ResolverTest() override { server_.AnswerAll(); }

  // Of 8 places 4 for each identity, and of 4 threads 2.
  static base::Limits Few() {
    base::Limits limits;
    limits.max_resolutions = 8;
    limits.max_resolutions_per_identity = 4;
    return limits;
  }

  void Begin(const base::Limits& limits, uint32_t threads_per_identity, uint32_t threads) {
    resolver_ = std::make_unique<Resolver>(limits, server_.Asked(), threads_per_identity, threads);
  }

  // "alice1" is what alice asks in her call 1.
  void Ask(const std::string& who, int call) {
    const std::string host = who + std::to_string(call);
    resolver_->Resolve({who, static_cast<uint64_t>(call)}, {.host = host}, [this, host](Resolver::Answer answer) {
      std::lock_guard lock(mutex_);
      ended_.push_back(host + (answer.ok() ? "" : " " + answer.error().message));
      changed_.notify_all();
    });
  }
  void Ask(const std::string& who, int first, int last) {
    for (int call = first; call <= last; ++call) Ask(who, call);
  }
  // What came back, once it is so much.
  Names Ended(size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return ended_.size() >= count; });
    return ended_;
  }
  static std::string Refused(const std::string& host, const std::string& limit, int allowed) {
    return host + " " + base::LimitReached(limit, static_cast<uint64_t>(allowed)).message;
  }

  SlowServer server_;
  std::mutex mutex_;
  std::condition_variable changed_;
  Names ended_;
  std::unique_ptr<Resolver> resolver_;  // last: its threads use the rest
};

Names Sorted(Names names) {
  std::ranges::sort(names);
  return names;
}

TEST_F(ResolverTest, AnIdentityHasAPartOfTheThreads) {
  Begin(Few(), 2, 4);
  Ask("alice", 1, 4);
  EXPECT_EQ(Sorted(server_.Await(2)), (Names{"alice1", "alice2"}));
  Ask("bob", 1);
  server_.Answer("bob1");
  EXPECT_EQ(Ended(1), Names{"bob1"});
  EXPECT_EQ(server_.Await(3).back(), "bob1");  // neither alice3 nor alice4, for which there were threads
  server_.Answer("alice2");
  EXPECT_EQ(server_.Await(4).back(), "alice3");
}

TEST_F(ResolverTest, IdentitiesTakeTurns) {
  base::Limits limits = Few();
  limits.max_resolutions = 12;
  Begin(limits, 2, 1);
  Ask("alice", 1);
  server_.Await(1);
  Ask("alice", 2, 4);
  Ask("bob", 1, 2);
  Ask("carol", 1);
  server_.AnswerAll();
  Ended(7);
  EXPECT_EQ(server_.Await(7), (Names{"alice1", "alice2", "bob1", "carol1", "alice3", "bob2", "alice4"}));
}

TEST_F(ResolverTest, AnIdentityHasAPartOfThePlaces) {
  Begin(Few(), 2, 4);
  Ask("alice", 1, 5);
  EXPECT_EQ(Ended(1), Names{Refused("alice5", "max_resolutions_per_identity", 4)});
  Ask("bob", 1, 4);
  Ask("carol", 1);
  EXPECT_EQ(Ended(2).back(), Refused("carol1", "max_resolutions", 8));
  server_.AnswerAll();
  EXPECT_EQ(Ended(10).size(), 10u);
  Ask("alice", 6);  // all places were given back
  EXPECT_EQ(Ended(11).back(), "alice6");
}

TEST_F(ResolverTest, WhoseCallEndedLeavesTheQueue) {
  Begin(Few(), 1, 4);
  Ask("alice", 1, 4);
  server_.Await(1);
  for (const uint64_t call : {2u, 3u, 4u, 4u, 7u}) resolver_->Forget({"alice", call});
  resolver_->Forget({"nobody", 1});
  resolver_->Forget({"alice", 1});  // it is being asked: it keeps its place, and gets its answer
  Ask("alice", 5, 7);
  Ask("alice", 8);
  EXPECT_EQ(Ended(1), Names{Refused("alice8", "max_resolutions_per_identity", 4)});
  Ask("bob", 1, 4);  // among the places of all, too
  server_.AnswerAll();
  EXPECT_EQ(Sorted(Ended(9)),
            (Names{"alice1", "alice5", "alice6", "alice7", Refused("alice8", "max_resolutions_per_identity", 4), "bob1",
                   "bob2", "bob3", "bob4"}));
}

TEST_F(ResolverTest, WhatIsForgottenIsTornDownAtOnce) {
  Begin(Few(), 1, 1);
  Ask("alice", 1);
  server_.Await(1);
  auto held = std::make_shared<int>();
  std::weak_ptr<int> seen = held;
  resolver_->Resolve({"alice", 2}, {.host = "alice2"}, [held = std::move(held)](auto) {});
  EXPECT_FALSE(seen.expired());
  resolver_->Forget({"alice", 2});
  EXPECT_TRUE(seen.expired());
}

// The last of a lane leaves while its identity has no turn, and while it has one.
TEST_F(ResolverTest, GoesOnAfterAQueueIsLeftEmpty) {
  Begin(Few(), 1, 1);
  Ask("alice", 1, 2);
  Ask("bob", 1, 2);
  server_.Await(1);
  resolver_->Forget({"alice", 2});
  resolver_->Forget({"bob", 1});
  resolver_->Forget({"bob", 2});
  Ask("bob", 3);
  server_.AnswerAll();
  EXPECT_EQ(Ended(2), (Names{"alice1", "bob3"}));
}

TEST_F(ResolverTest, EndsWithoutThoseWhoWait) {
  Begin(Few(), 1, 1);
  Ask("alice", 1);
  server_.Await(1);
  std::latch dropped(1);
  std::shared_ptr<void> held(nullptr, [&dropped](void*) { dropped.count_down(); });
  resolver_->Resolve({"alice", 2}, {.host = "alice2"}, [held = std::move(held)](auto) { ADD_FAILURE(); });
  std::thread end([&] { resolver_.reset(); });
  dropped.wait();
  server_.AnswerAll();
  end.join();
  EXPECT_EQ(Ended(1), Names{"alice1"});
  EXPECT_EQ(server_.Await(1), Names{"alice1"});
}

TEST(NumericNames, NeedNobody) {
  for (const char* const host : {"127.0.0.1", "127.1", "0x7f.1", "::1", "fe80::1%lo"}) {
    const auto answer = Resolver::Numeric({.host = host, .port = 80, .type = SOCK_STREAM});
    ASSERT_TRUE(answer.has_value()) << host;
    ASSERT_TRUE(answer->ok()) << host;
    ASSERT_EQ((*answer)->size(), 1u) << host;
    EXPECT_EQ((*answer)->front().port(), 80);
  }
  EXPECT_EQ((*Resolver::Numeric({.host = "127.1"}))->front().ip(), "127.0.0.1");
  const Resolver::Query dual{.host = "127.1", .family = AF_INET6, .both_families = true};
  EXPECT_EQ((*Resolver::Numeric(dual))->front().ip(), "::ffff:127.0.0.1");
  // Of the other family: refused, and still nobody is asked.
  const auto other = Resolver::Numeric({.host = "127.1", .family = AF_INET6});
  ASSERT_TRUE(other.has_value());
  EXPECT_EQ(other->error().reason, "NAME_NOT_RESOLVED");
  for (const char* const host : {"localhost", "1.example", "127.0.0.1.", "::1.example", "256.1.1.1"}) {
    EXPECT_FALSE(Resolver::Numeric({.host = host}).has_value()) << host;
  }
}

}  // namespace
}  // namespace socketeer::net
