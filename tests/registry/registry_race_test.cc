// Many threads on one registry; what it promises between them, and work for ThreadSanitizer.
#include <gtest/gtest.h>

#include <atomic>
#include <barrier>
#include <string>
#include <thread>
#include <vector>

#include "server/registry/registry.h"

namespace socketeer::registry {
namespace {

constexpr int kThreads = 4;
constexpr int kRounds = 300;

void InThreads(int count, const std::function<void(int)>& run) {
  std::vector<std::thread> threads;
  for (int i = 0; i < count; ++i) threads.emplace_back(run, i);
  for (std::thread& thread : threads) thread.join();
}

class RegistryRace : public ::testing::Test {
 protected:
  Registry registry_{base::DefaultLimits(20'000), base::SystemClock()};
  const SessionPtr session_ =
      std::make_shared<Session>("standing", "me", Terms{}, base::WallTime(), base::MonotonicTime());
};

// Of all who want one name at one moment, one gets it.
TEST_F(RegistryRace, OneWinnerForAName) {
  std::barrier start(kThreads);
  std::atomic<int> winners{0};
  InThreads(kThreads, [&](int) {
    for (int round = 0; round < kRounds; ++round) {
      start.arrive_and_wait();
      auto record = registry_.Reserve("name" + std::to_string(round), session_, {}, nullptr, 1);
      if (record.ok()) winners.fetch_add(1);
    }
  });
  EXPECT_EQ(winners.load(), kRounds);
}

// Who waits for a name hears of it, whichever comes first; the two cannot miss each other.
TEST_F(RegistryRace, WaitAndPublishMeet) {
  std::barrier turn(2);
  std::atomic<int> met{0};
  InThreads(2, [&](int who) {
    for (int round = 0; round < kRounds; ++round) {
      const std::string id = "meet" + std::to_string(round);
      turn.arrive_and_wait();
      if (who == 0) {
        auto record = registry_.Reserve(id, session_, {}, nullptr, 1);
        EXPECT_TRUE(registry_.Publish(*record).ok());
      } else if (registry_.FindOrWait(id, "", "me", 1, [&](RecordPtr) { met.fetch_add(1); }) != nullptr) {
        met.fetch_add(1);
      }
    }
  });
  EXPECT_EQ(met.load(), kRounds);
}

// After StopWaiting has returned nobody is told, or was told before.
TEST_F(RegistryRace, StopAndPublish) {
  std::barrier turn(2);
  std::atomic<int> told{0};
  InThreads(2, [&](int who) {
    for (int round = 0; round < kRounds; ++round) {
      const std::string id = "stop" + std::to_string(round);
      if (who == 1) registry_.FindOrWait(id, "", "me", 7, [&](RecordPtr) { told.fetch_add(1); });
      turn.arrive_and_wait();
      if (who == 1) {
        registry_.StopWaiting(id, 7);
      } else {
        EXPECT_TRUE(registry_.Publish(*registry_.Reserve(id, session_, {}, nullptr, 1)).ok());
      }
    }
  });
  EXPECT_LE(told.load(), kRounds);
}

// Sockets come, change and go on some threads while others look, list and mark them.
TEST_F(RegistryRace, EverythingAtOnce) {
  std::atomic<int> making{kThreads};
  InThreads(kThreads * 2, [&](int who) {
    if (who < kThreads) {
      for (int round = 0; round < kRounds; ++round) {
        auto record = registry_.Reserve("s" + std::to_string(who) + "-" + std::to_string(round % 3), session_,
                                        {{"round", std::to_string(round)}}, nullptr, 1);
        ASSERT_TRUE(record.ok());
        net::SocketInfo info;
        info.state = net::State::kBound;
        (*record)->OnChanged(info);
        EXPECT_TRUE(registry_.Publish(*record).ok());
        (*record)->gauges().bytes_sent.fetch_add(1);
        info.state = net::State::kListening;
        (*record)->OnChanged(info);
        (*record)->OnClosing();
        (*record)->OnClosed();
      }
      making.fetch_sub(1);
      return;
    }
    while (making.load() > 0) {
      const auto [page, more] = registry_.List("me", *Filter::Parse("labels.round:*"), "", 100);
      EXPECT_FALSE(more);
      EXPECT_LE(page.size(), static_cast<size_t>(kThreads));
      for (const View& view : page) {
        auto found = registry_.Find(view.name.substr(8), view.uid, "me");
        if (!found.ok()) continue;
        EXPECT_EQ(registry_.Look(*found).uid, view.uid);
        (void)registry_.UpdateLabels(*found, [](Labels& labels) { labels["seen"] = "yes"; });
      }
      registry_.FindOrWait("never", "", "me", 1, [](RecordPtr) {});
      registry_.StopWaiting("never", 1);
    }
  });
  EXPECT_EQ(registry_.size(), 0u);
  EXPECT_EQ(session_->sockets().load(), 0u);
}

}  // namespace
}  // namespace socketeer::registry
