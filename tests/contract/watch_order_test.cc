// Twenty watchers, cut and resumed at random, while sockets on four loops change at once: each sees every revision
// once, in order, and ends with exactly what the registry holds.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <random>
#include <thread>
#include <vector>

#include "tests/support/test_server.h"
#include "tests/support/watcher.h"

namespace socketeer {
namespace {

using testing::Ok;
using testing::Stub;

constexpr int kWatchers = 20;
constexpr int kChangers = 4;
// SOCKETEER_CHANGES=100000 for the whole proof.
int Changes() {
  const char* const given = std::getenv("SOCKETEER_CHANGES");
  return given != nullptr ? std::atoi(given) : 5'000;
}
// How far the changes may run ahead of the slowest watcher: half of what is remembered, so that none is too old.
constexpr uint64_t kLead = base::Limits().max_remembered_changes / 2;

// What is compared: all that makes a revision.
std::string Essence(v1::Socket socket) {
  socket.clear_counters();
  socket.clear_waiting_reads();
  socket.clear_waiting_writes();
  return socket.SerializeAsString();
}

struct Observer {
  std::map<std::string, std::string> sockets;  // by name
  std::atomic<uint64_t> revision{0};
  int cuts = 0;
  uint64_t seen = 0;

  void Apply(const v1::SocketChange& change) {
    const std::string& name = change.socket().name();
    if (change.kind() != v1::CHANGE_KIND_SNAPSHOT) {
      ASSERT_EQ(change.revision(), revision + 1 + (seen++ - applied_)) << name;
    }
    if (change.kind() == v1::CHANGE_KIND_CLOSED) {
      ASSERT_EQ(sockets.erase(name), 1u) << name;
    } else {
      ASSERT_EQ(sockets.contains(name), change.kind() == v1::CHANGE_KIND_UPDATED) << change.ShortDebugString();
      sockets[name] = Essence(change.socket());
    }
  }
  void ApplyAll(const v1::WatchSocketsResponse& response) {
    applied_ = seen;
    for (const v1::SocketChange& change : response.changes()) {
      if (!::testing::Test::HasFatalFailure()) Apply(change);
    }
    ASSERT_TRUE(response.changes().empty() || response.snapshot_complete() ||
                response.changes().rbegin()->revision() == response.revision());
    if (response.revision() != 0) revision = response.revision();
  }

 private:
  uint64_t applied_ = 0;  // of `seen`, before this message
};

class WatchOrder : public ::testing::Test {
 protected:
  // Until `stop` is set and all up to `last_` is seen. Cuts its watch every now and then, and resumes it.
  void Observe(Observer& observer, unsigned seed) {
    std::mt19937 random(seed);
    const testing::Caller caller = server_.AnotherCaller();
    while (!HasFatalFailure() && !(last_ != 0 && observer.revision >= last_)) {
      testing::Watcher watcher(caller, observer.revision == 0 ? std::nullopt : std::optional(observer.revision.load()));
      if (observer.revision == 0) observer.sockets.clear();
      for (int left = static_cast<int>(random() % 500); left > 0; --left) {
        const auto response = watcher.Next();
        ASSERT_TRUE(response) << watcher.End().message;
        ASSERT_NO_FATAL_FAILURE(observer.ApplyAll(*response));
        if (last_ != 0 && observer.revision >= last_) return;
      }
      ++observer.cuts;
    }
  }

  uint64_t SlowestRevision() const {
    uint64_t slowest = ~uint64_t{0};
    for (const Observer& observer : observers_) slowest = std::min(slowest, observer.revision.load());
    return slowest;
  }

  // Its share of the changes, on sockets that the daemon spreads over its loops.
  void Change(int who) {
    const testing::Caller caller = server_.AnotherCaller();
    std::mt19937 random(static_cast<unsigned>(who));
    std::vector<std::string> names;
    int opened = 0;
    while (made_.load() < changes_) {
      const uint64_t ahead = static_cast<uint64_t>(made_.load());
      const bool led = testing::Eventually([&] { return SlowestRevision() + kLead > first_ + ahead; },
                                           "a watcher's place is known to the watcher alone");
      ASSERT_TRUE(led);
      const auto dice = random() % 10;
      if (names.size() < 4 || (dice == 0 && names.size() < 40)) {
        names.push_back("c" + std::to_string(who) + "-" + std::to_string(++opened));
        ASSERT_TRUE(
            Ok(caller.Ask(&Stub::OpenSocket, "socket_id: '" + names.back() +
                                                 "' type: SOCKET_TYPE_STREAM bind { inet { ip: '127.0.0.1' } } ")));
        made_ += 1;
      } else if (dice == 1) {
        std::swap(names[random() % names.size()], names.back());
        ASSERT_TRUE(Ok(caller.Ask(&Stub::CloseSocket, "name: 'sockets/" + names.back() + "'")));
        names.pop_back();
        made_ += 1;
      } else {
        ASSERT_TRUE(Ok(
            caller.Ask(&Stub::UpdateSocket, "socket { name: 'sockets/" + names[random() % names.size()] +
                                                "' labels { key: 'n' value: '" + std::to_string(made_.load()) + "-" +
                                                std::to_string(random()) + "' } } update_mask { paths: 'labels' }")));
        made_ += 1;
      }
    }
  }

  testing::TestServer server_{{.loops = 4}};
  std::vector<Observer> observers_{kWatchers};
  const int changes_ = Changes();
  uint64_t first_ = 0;
  std::atomic<uint64_t> last_{0};
  std::atomic<int> made_{0};
};

TEST_F(WatchOrder, EveryWatcherSeesEveryRevisionOnceInOrder) {
  first_ = testing::Watcher(server_.caller()).Next()->revision();
  for (Observer& observer : observers_) observer.revision = first_;  // they resume from where nothing is
  std::vector<std::thread> watchers, changers;
  for (int i = 0; i < kWatchers; ++i) {
    watchers.emplace_back([this, i] { Observe(observers_[static_cast<size_t>(i)], static_cast<unsigned>(i)); });
  }
  for (int i = 0; i < kChangers; ++i) changers.emplace_back([this, i] { Change(i); });
  for (std::thread& changer : changers) changer.join();
  // One more, so that whoever waits for news gets some.
  ASSERT_TRUE(Ok(server_->Ask(&Stub::OpenSocket, "socket_id: 'last' type: SOCKET_TYPE_DGRAM family: FAMILY_INET")));
  const uint64_t last = testing::Watcher(server_.caller()).Next()->revision();
  last_ = last;
  ASSERT_TRUE(Ok(server_->Ask(&Stub::UpdateSocket,
                              "socket { name: 'sockets/last' labels { key: 'a' value: 'b' } } "
                              "update_mask { paths: 'labels' }")));
  for (std::thread& watcher : watchers) watcher.join();

  const uint64_t changes = last - first_;
  EXPECT_GE(changes, static_cast<uint64_t>(changes_));
  int cuts = 0;
  for (const Observer& observer : observers_) {
    EXPECT_GE(observer.seen, changes);
    EXPECT_LE(observer.seen, changes + 1);
    cuts += observer.cuts;
  }
  EXPECT_GT(cuts, kWatchers * 2);  // a busy machine makes fewer
  std::printf("%llu changes, %d watchers, cut and resumed %d times\n", static_cast<unsigned long long>(changes),
              kWatchers, cuts);
  // The registry's content: a new snapshot, but for the one change after `last`.
  std::map<std::string, std::string> held;
  testing::Watcher snapshot(server_.caller());
  for (bool complete = false; !complete;) {
    const auto page = snapshot.Next();
    ASSERT_TRUE(page);
    for (const v1::SocketChange& change : page->changes()) held[change.socket().name()] = Essence(change.socket());
    complete = page->snapshot_complete();
  }
  held.erase("sockets/last");
  for (Observer& observer : observers_) {
    EXPECT_EQ(observer.sockets.erase("sockets/last"), 1u);
    EXPECT_EQ(observer.sockets, held);
  }
  server_.CloseAll();
}

}  // namespace
}  // namespace socketeer
