// What is counted of sockets and sessions.
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "server/registry/registry.h"
#include "server/registry/sessions.h"
#include "tests/support/manual_clock.h"

namespace socketeer::registry {
namespace {

class CensusTest : public ::testing::Test {
 protected:
  // No shard: nothing here makes a socket.
  RecordPtr Publish(const std::string& id, const net::SocketInfo& info, const std::string& owner = "me") {
    auto record = registry_.Reserve(id, sessions_.Standing(owner), {}, nullptr, ++handle_);
    EXPECT_TRUE(record.ok());
    (*record)->OnChanged(info);
    EXPECT_TRUE(registry_.Publish(*record).ok());
    return *record;
  }
  static net::SocketInfo Tcp(net::State state) {
    return {.kind = {.family = AF_INET, .type = SOCK_STREAM}, .state = state, .local = {}, .peer = {}};
  }
  static void Close(const RecordPtr& record) {
    record->OnClosing();
    record->OnClosed();
  }
  uint64_t Closed(CloseReason why) const { return registry_.counters().closed[static_cast<size_t>(why)].value(); }
  uint64_t Ended(CloseReason why) const { return sessions_.counters().ended[static_cast<size_t>(why)].value(); }

  ::socketeer::testing::ManualClock clock_;
  Registry registry_{base::DefaultLimits(20'000), clock_};
  Sessions sessions_{base::DefaultLimits(20'000), clock_};
  net::SocketHandle handle_ = 0;
};

TEST_F(CensusTest, CountsByKindAndStateWhosoeverTheyAre) {
  Publish("a", Tcp(net::State::kListening));
  const RecordPtr moving = Publish("b", Tcp(net::State::kBound), "other");
  Publish("c", {.kind = {.family = AF_UNIX, .type = SOCK_DGRAM}, .local = {}, .peer = {}});
  moving->OnChanged(Tcp(net::State::kListening));
  moving->gauges().waiting_reads.store(3);
  moving->gauges().waiting_writes.store(2);
  ASSERT_TRUE(registry_.Reserve("reserved", sessions_.Standing("me"), {}, nullptr, ++handle_).ok());
  Close(Publish("gone", Tcp(net::State::kBound)));
  const Census census = registry_.Count();
  EXPECT_EQ(census.sockets, (decltype(census.sockets){{{"tcp4", net::State::kListening}, 2},
                                                      {{"unix-dgram", net::State::kCreated}, 1}}));
  EXPECT_EQ(census.waiting_reads, 3u);
  EXPECT_EQ(census.waiting_writes, 2u);
  EXPECT_EQ(registry_.counters().opened.value(), 4u);
}

// It is taken in pieces, between which the registry is free.
TEST_F(CensusTest, CountsManyEachOnce) {
  for (const int count : {1, 254, 1, 1, 255}) {  // to 1, 255, 256, 257 and 512
    static int made = 0;
    for (int i = 0; i < count; ++i) Publish("s" + std::to_string(made++), Tcp(net::State::kBound));
    EXPECT_EQ((registry_.Count().sockets[{"tcp4", net::State::kBound}]), static_cast<uint64_t>(made));
  }
}

TEST_F(CensusTest, TellsWhyTheyWereClosed) {
  const RecordPtr mine = Publish("a", Tcp(net::State::kBound)), theirs = Publish("b", Tcp(net::State::kBound));
  registry_.WillClose(mine, CloseReason::kOwner);
  Close(mine);
  registry_.WillClose(theirs, CloseReason::kLeaseExpired);
  Close(theirs);
  EXPECT_EQ(Closed(CloseReason::kOwner), 1u);
  EXPECT_EQ(Closed(CloseReason::kLeaseExpired), 1u);
  EXPECT_EQ(Closed(CloseReason::kDraining), 0u);
}

TEST_F(CensusTest, TellsWhySessionsEnded) {
  const Terms terms{.ttl = std::chrono::seconds(60), .grace = {}};
  for (const CloseReason why : {CloseReason::kSessionEnded, CloseReason::kLeaseExpired, CloseReason::kLeaseExpired}) {
    const SessionPtr session = *sessions_.Create("me", "", terms);
    ASSERT_TRUE(sessions_.End(session, why));
    EXPECT_FALSE(sessions_.End(session, why)) << "only once";
  }
  sessions_.Standing("me");
  sessions_.Standing("me");
  EXPECT_EQ(Ended(CloseReason::kSessionEnded), 1u);
  EXPECT_EQ(Ended(CloseReason::kLeaseExpired), 2u);
  EXPECT_EQ(sessions_.counters().created.value(), 4u);
}

// For ThreadSanitizer.
TEST_F(CensusTest, MayBeTakenWhileSocketsComeAndGo) {
  std::atomic<bool> over{false};
  std::thread looker([&] {
    while (!over.load()) {
      for (const auto& [what, count] : registry_.Count().sockets) EXPECT_LE(count, 600u) << what.first;
    }
  });
  for (int round = 0; round < 3; ++round) {
    std::vector<RecordPtr> records;
    for (int i = 0; i < 600; ++i) {
      records.push_back(Publish("s" + std::to_string(i), Tcp(net::State::kBound)));
      records.back()->gauges().waiting_reads.store(1);
    }
    for (const RecordPtr& each : records) Close(each);
  }
  over.store(true);
  looker.join();
  EXPECT_TRUE(registry_.Count().sockets.empty());
}

}  // namespace
}  // namespace socketeer::registry
