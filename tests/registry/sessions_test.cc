#include "server/registry/sessions.h"

#include <gtest/gtest.h>

#include <thread>

#include "server/registry/registry.h"
#include "tests/support/manual_clock.h"

namespace socketeer::registry {
namespace {

using std::chrono::seconds;

constexpr Terms kTerms{.ttl = seconds(10), .grace = seconds(5)};

class SessionsTest : public ::testing::Test {
 protected:
  static base::Limits Two() {
    base::Limits limits;
    limits.max_sessions = 2;
    return limits;
  }
  SessionPtr Create(const std::string& id, const std::string& owner = "me") {
    auto created = sessions_.Create(owner, id, kTerms);
    EXPECT_TRUE(created.ok());
    return *created;
  }
  std::string Reason(const std::string& id, const std::string& owner = "me") {
    auto found = sessions_.Find(owner, id);
    return found.ok() ? "found" : found.error().reason;
  }

  testing::ManualClock clock_;
  Sessions sessions_{Two(), clock_};
};

TEST_F(SessionsTest, ALeaseCountsFromTheLastSignOfLife) {
  const SessionPtr session = Create("a");
  const base::MonotonicTime start = clock_.Now();
  EXPECT_EQ(session->Expires(), start + seconds(10));
  EXPECT_EQ(session->Over(), start + seconds(15));
  session->Renew(start + seconds(3));
  session->Renew(start + seconds(1));  // news that come late
  EXPECT_EQ(session->Expires(), start + seconds(13));
}

TEST_F(SessionsTest, NamesAreTheIdentitys) {
  Create("a");
  EXPECT_EQ(Reason("a"), "found");
  EXPECT_EQ(Reason("a", "you"), "SESSION_NOT_FOUND");
  EXPECT_EQ(sessions_.Create("me", "a", kTerms).error().reason, "SESSION_EXISTS");
  EXPECT_NE(Create("a", "you"), *sessions_.Find("me", "a"));
}

TEST_F(SessionsTest, StandingOnesAreMadeBeyondTheLimit) {
  Create("a");
  Create("b");
  EXPECT_EQ(sessions_.Create("me", "c", kTerms).error().metadata.at("limit"), "max_sessions");
  const SessionPtr standing = sessions_.Standing("me");
  EXPECT_EQ(sessions_.Standing("me"), standing);
  EXPECT_NE(sessions_.Standing("you"), standing);
  EXPECT_EQ(*sessions_.Find("me", kStandingId), standing);
  EXPECT_TRUE(sessions_.End(standing, CloseReason::kLeaseExpired));
  EXPECT_NE(sessions_.Standing("me"), standing);
  EXPECT_EQ(sessions_.Create("me", "c", kTerms).error().reason, "LIMIT_REACHED");
}

TEST_F(SessionsTest, AHolderWhoseProofEndedShowsNoLife) {
  const SessionPtr session = Create("a");
  const auto unproven = std::make_shared<std::atomic<bool>>(false);
  EXPECT_TRUE(session->Hold(1, {.connection = 7, .end = {}, .unproven = unproven}));
  EXPECT_TRUE(session->Hold(2, {.connection = 8, .end = {}}));
  EXPECT_EQ(session->connections(), (std::set<uint64_t>{7, 8}));
  unproven->store(true);
  EXPECT_EQ(session->connections(), (std::set<uint64_t>{8}));
  EXPECT_EQ(session->holders(), 2u) << "it is still there";
}

TEST_F(SessionsTest, AnEndIsOnceAndForAll) {
  const SessionPtr session = Create("a");
  int told = 0;
  EXPECT_TRUE(session->Hold(1, {.connection = 7, .end = [&told](const Session&) { ++told; }}));
  EXPECT_TRUE(session->Hold(2, {.connection = 7, .end = [&told](const Session&) { ++told; }}));
  EXPECT_TRUE(session->Hold(3, {.connection = 8, .end = [&told](const Session&) { ++told; }}));
  EXPECT_EQ(session->connections(), (std::set<uint64_t>{7, 8}));
  session->Release(3);
  const auto ends = sessions_.End(session, CloseReason::kLeaseExpired);
  ASSERT_TRUE(ends);
  for (const auto& end : *ends) end(*session);
  EXPECT_EQ(told, 2);
  EXPECT_FALSE(sessions_.End(session, CloseReason::kSessionEnded));
  EXPECT_EQ(session->ended(), CloseReason::kLeaseExpired);
  EXPECT_FALSE(session->Hold(4, Session::Holder()));
  EXPECT_EQ(Reason("a"), "SESSION_ENDED");
  EXPECT_EQ(sessions_.Find("me", "a").error().metadata.at("why"), "LEASE_EXPIRED");
  Create("a");
  EXPECT_EQ(Reason("a"), "found");
}

TEST_F(SessionsTest, TheEndedThatAreRememberedAreBounded) {
  for (size_t i = 0; i <= base::kMaxEndedRemembered; ++i) {
    sessions_.End(Create("s" + std::to_string(i)), CloseReason::kSessionEnded);
  }
  EXPECT_EQ(Reason("s0"), "SESSION_NOT_FOUND");
  EXPECT_EQ(Reason("s1"), "SESSION_ENDED");
}

TEST_F(SessionsTest, NoSocketComesIntoAnEndedSession) {
  Registry registry(base::DefaultLimits(1'000), clock_);
  const SessionPtr session = Create("a");
  const auto make = [&](const std::string& id) { return *registry.Reserve(id, session, {}, nullptr, 1); };
  const RecordPtr there = make("there");
  const RecordPtr late = make("late");
  ASSERT_TRUE(registry.Publish(there).ok());
  sessions_.End(session, CloseReason::kLeaseExpired);
  // What waits on it has been told to end: it cannot be saved any more.
  EXPECT_EQ(registry.Transfer(there, *sessions_.Create("me", "b", kTerms)).error().reason, "SESSION_ENDED");
  EXPECT_EQ(registry.WillCloseAll(*session), std::vector<RecordPtr>{there});
  EXPECT_EQ(registry.Publish(late).error().reason, "SESSION_ENDED");
  there->OnClosing();
  EXPECT_EQ(registry.FindClosed("there", "", "me")->close_reason, CloseReason::kLeaseExpired);
  EXPECT_EQ(session->sockets().load(), 0u);
}

TEST_F(SessionsTest, WhoIsMovedIntoAnEndedSessionIsTold) {
  const SessionPtr from = Create("a");
  const SessionPtr to = Create("b");
  const int socket = 0;
  int told = 0;
  ASSERT_TRUE(from->Hold(1, {.connection = 1, .end = [&](const Session&) { ++told; }}, &socket));
  sessions_.End(to, CloseReason::kSessionEnded);
  const auto refused = from->MoveHolders(&socket, *to);
  ASSERT_EQ(refused.size(), 1u);
  refused[0](*to);
  EXPECT_EQ(told, 1);
  EXPECT_EQ(from->holders(), 0u);
}

// What is published while the session ends is either found by the end, or refused.
TEST_F(SessionsTest, PublishAndEndCannotMissEachOther) {
  Registry registry(base::DefaultLimits(1'000), base::SystemClock());
  for (int round = 0; round < 200; ++round) {
    const SessionPtr session = Create("a");
    const RecordPtr record = *registry.Reserve("s" + std::to_string(round), session, {}, nullptr, 1);
    bool published = false;
    std::thread publisher([&] { published = registry.Publish(record).ok(); });
    sessions_.End(session, CloseReason::kLeaseExpired);
    const bool found = !registry.WillCloseAll(*session).empty();
    publisher.join();
    EXPECT_TRUE(found || !published) << round;
    record->OnClosing();
    record->OnClosed();
  }
}

}  // namespace
}  // namespace socketeer::registry
