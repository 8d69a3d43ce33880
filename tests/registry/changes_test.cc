// The log of changes, and those who wait for more.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "server/registry/registry.h"

namespace socketeer::registry {
namespace {

class ChangesTest : public ::testing::Test {
 protected:
  static base::Limits Limits() {
    base::Limits limits = base::DefaultLimits(20'000);
    limits.max_remembered_changes = 4;
    return limits;
  }
  RecordPtr Publish(const std::string& id) {
    auto record = *registry_.Reserve(id, session_, {}, nullptr, 1);
    EXPECT_TRUE(registry_.Publish(record).ok());
    return record;
  }
  uint64_t Now() { return registry_.Snapshot("me").second; }

  Registry registry_{Limits(), base::SystemClock()};
  const SessionPtr session_ =
      std::make_shared<Session>("standing", "me", Terms{}, base::WallTime(), base::MonotonicTime());
};

TEST_F(ChangesTest, ReadInOrderWithinWhatIsRemembered) {
  const uint64_t start = Now();
  const RecordPtr record = Publish("a");
  net::SocketInfo info;
  record->OnChanged(info);  // as it was: no change
  info.state = net::State::kBound;
  record->OnChanged(info);
  record->OnClosing();
  record->OnClosed();
  uint64_t revision = start;
  auto changes = registry_.ChangesBehind(&revision, "me", 2);
  ASSERT_TRUE(changes.ok());
  ASSERT_EQ(changes->size(), 2u);
  EXPECT_EQ((*changes)[0].kind, ChangeKind::kOpened);
  EXPECT_EQ((*changes)[1].kind, ChangeKind::kUpdated);
  EXPECT_EQ((*changes)[1].content->info.state, net::State::kBound);
  EXPECT_EQ(revision, start + 2);
  EXPECT_EQ(registry_.ChangesBehind(&revision, "me", 9)->at(0).kind, ChangeKind::kClosed);
  EXPECT_TRUE(registry_.ChangesBehind(&revision, "me", 9)->empty());
  for (const char* id : {"b", "c"}) Publish(id);
  revision = start;
  EXPECT_EQ(registry_.ChangesBehind(&revision, "me", 9).error().reason, "REVISION_TOO_OLD");
  revision = start + 1;
  EXPECT_EQ(registry_.ChangesBehind(&revision, "me", 9)->size(), 4u);
  revision = start + 6;
  EXPECT_EQ(registry_.ChangesBehind(&revision, "me", 9).error().reason, "REVISION_TOO_OLD");
}

TEST_F(ChangesTest, WhoWaitsIsToldOnce) {
  int told = 0;
  const uint64_t now = Now();
  registry_.WaitForChange(1, now, [&told] { ++told; });
  registry_.WaitForChange(2, now, [&told] { told += 100; });
  registry_.StopWaitingForChange(2);
  EXPECT_EQ(told, 0);
  Publish("a");
  EXPECT_EQ(told, 1);
  Publish("b");
  EXPECT_EQ(told, 1);
  registry_.WaitForChange(1, now, [&told] { ++told; });
  EXPECT_EQ(told, 2) << "there is news already";
}

// Some change, others read: nothing is missed or seen twice, whoever comes first.
TEST_F(ChangesTest, ReadersAndWritersAtOnce) {
  constexpr int kWriters = 3;
  constexpr uint64_t kEach = 200;
  base::Limits limits = base::DefaultLimits(20'000);
  Registry registry(limits, base::SystemClock());
  const uint64_t start = registry.Snapshot("me").second;
  std::vector<std::thread> threads;
  for (int writer = 0; writer < kWriters; ++writer) {
    threads.emplace_back([&, writer] {
      auto record = *registry.Reserve("w" + std::to_string(writer), session_, {}, nullptr, 1);
      EXPECT_TRUE(registry.Publish(record).ok());
      for (uint64_t i = 1; i < kEach; ++i) {
        net::SocketInfo info;
        info.read_shutdown = i % 2 == 1;
        record->OnChanged(info);
      }
    });
  }
  for (uint64_t reader = 0; reader < 2; ++reader) {
    threads.emplace_back([&, reader] {
      for (uint64_t revision = start, seen = start; revision < start + kWriters * kEach;) {
        std::atomic<bool> news{false};
        registry.WaitForChange(reader, revision, [&news] {
          news = true;
          news.notify_all();
        });
        news.wait(false);
        const auto changes = registry.ChangesBehind(&revision, "me", 50);
        ASSERT_TRUE(changes.ok());
        for (const Change& change : *changes) ASSERT_EQ(change.revision, ++seen);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace socketeer::registry
