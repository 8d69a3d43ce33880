#include "server/registry/registry.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "server/registry/sessions.h"
#include "tests/support/manual_clock.h"

namespace socketeer::registry {
namespace {

class RegistryTest : public ::testing::Test {
 protected:
  static base::Limits Limits() {
    base::Limits limits = base::DefaultLimits(20'000);
    limits.max_sockets = 5;
    return limits;
  }
  SessionPtr Standing(const std::string& owner) { return sessions_.Standing(owner); }
  // No shard: nothing here makes a socket.
  base::Result<RecordPtr> Reserve(const std::string& id, const std::string& owner = "me", Labels labels = {}) {
    return registry_.Reserve(id, Standing(owner), std::move(labels), nullptr, ++handle_);
  }
  RecordPtr Publish(const std::string& id, const std::string& owner = "me", Labels labels = {}) {
    auto record = Reserve(id, owner, std::move(labels));
    EXPECT_TRUE(record.ok());
    (*record)->OnChanged({});
    EXPECT_TRUE(registry_.Publish(*record).ok());
    return *record;
  }
  // As its socket tells it.
  static void Close(const RecordPtr& record) {
    record->OnClosing();
    record->OnClosed();
  }
  std::string Reason(const std::string& id, const std::string& uid = "", const std::string& owner = "me") {
    auto found = registry_.Find(id, uid, owner);
    return found.ok() ? "found" : found.error().reason;
  }
  std::vector<std::string> List(const std::string& after = "", size_t limit = 100) {
    std::vector<std::string> names;
    for (const View& view : registry_.List("me", Filter(), after, limit).first) names.push_back(view.name.substr(8));
    return names;
  }

  testing::ManualClock clock_;
  Registry registry_{Limits(), clock_};
  Sessions sessions_{Limits(), clock_};
  net::SocketHandle handle_ = 0;
};

using Names = std::vector<std::string>;

TEST_F(RegistryTest, SocketIds) {
  for (const char* id : {"a", "a-", "web-1", "z9"}) EXPECT_TRUE(IsSocketId(id)) << id;
  for (const char* id : {"", "A", "1a", "-a", "a_b", "a.b", "a b", "a/b", "ä"}) EXPECT_FALSE(IsSocketId(id)) << id;
  EXPECT_TRUE(IsSocketId(std::string(63, 'a')));
  EXPECT_FALSE(IsSocketId(std::string(64, 'a')));
}

TEST_F(RegistryTest, AReservedNameIsTakenButNotSeen) {
  auto record = Reserve("web");
  ASSERT_TRUE(record.ok());
  EXPECT_EQ(Reason("web"), "SOCKET_NOT_FOUND");
  EXPECT_EQ(List(), Names());
  EXPECT_EQ(Reserve("web").error().reason, "SOCKET_EXISTS");
  EXPECT_EQ(Reserve("web", "other").error().reason, "SOCKET_EXISTS");
  EXPECT_TRUE(registry_.Publish(*record).ok());
  EXPECT_EQ(Reason("web"), "found");
  EXPECT_EQ(List(), Names{"web"});
}

TEST_F(RegistryTest, AnAbandonedNameIsFreeAndWasNeverThere) {
  auto record = Reserve("web");
  registry_.Abandon(*record);
  EXPECT_EQ(Reason("web"), "SOCKET_NOT_FOUND");
  EXPECT_EQ(registry_.size(), 0u);
  // Late calls about it must not touch the next one of that name.
  const RecordPtr next = Publish("web");
  registry_.Abandon(*record);
  EXPECT_TRUE(registry_.Publish(*record).ok());
  (*record)->OnClosed();
  EXPECT_EQ(Reason("web", next->uid()), "found");
}

TEST_F(RegistryTest, PublishedCannotBeAbandoned) {
  const RecordPtr record = Publish("web");
  registry_.Abandon(record);
  EXPECT_EQ(Reason("web"), "found");
}

TEST_F(RegistryTest, ClosedIsToldApartFromNeverThere) {
  const RecordPtr record = Publish("web");
  Close(record);
  EXPECT_EQ(Reason("web"), "SOCKET_CLOSED");
  EXPECT_EQ(Reason("web", record->uid()), "SOCKET_CLOSED");
  EXPECT_EQ(Reason("web", "another"), "SOCKET_NOT_FOUND");
  EXPECT_EQ(Reason("web", "", "other"), "SOCKET_NOT_FOUND");
  EXPECT_EQ(registry_.FindClosed("web", "", "me")->uid, record->uid());
  EXPECT_FALSE(registry_.FindClosed("web", "", "other"));
  EXPECT_FALSE(registry_.FindClosed("web", "another", "me"));
  EXPECT_FALSE(registry_.FindClosed("never", "", "me"));
  EXPECT_EQ(registry_.Look(record).info.state, net::State::kClosed);
  EXPECT_EQ(registry_.UpdateLabels(record, [](Labels&) {}).error().reason, "SOCKET_CLOSED");
}

// While a socket closes, its descriptor may still be there: the name is not free, and no call reaches it.
TEST_F(RegistryTest, AClosingSocketIsClosedForItsCallersAndKeepsItsName) {
  const RecordPtr record = Publish("web");
  record->OnClosing();
  EXPECT_EQ(Reason("web"), "SOCKET_CLOSED");
  EXPECT_EQ(List(), Names());
  EXPECT_EQ(Reserve("web").error().reason, "SOCKET_EXISTS");
  EXPECT_EQ(registry_.UpdateLabels(record, [](Labels&) {}).error().reason, "SOCKET_CLOSED");
  record->OnClosed();
  EXPECT_TRUE(Reserve("web").ok());
}

TEST_F(RegistryTest, ANamesakeIsAnother) {
  const RecordPtr first = Publish("web");
  Close(first);
  const RecordPtr second = Publish("web");
  EXPECT_NE(first->uid(), second->uid());
  EXPECT_EQ(Reason("web", first->uid()), "UID_MISMATCH");
  EXPECT_EQ(Reason("web", second->uid()), "found");
}

TEST_F(RegistryTest, AForeignSocketLooksMissing) {
  const RecordPtr record = Publish("theirs", "them");
  EXPECT_EQ(Reason("theirs"), "SOCKET_NOT_FOUND");
  EXPECT_EQ(Reason("theirs", record->uid()), "SOCKET_NOT_FOUND");
  EXPECT_EQ(Reason("theirs", "", "them"), "found");
  EXPECT_EQ(List(), Names());
}

TEST_F(RegistryTest, RememberedClosedOnesAreBounded) {
  for (size_t i = 0; i <= base::kMaxClosedRemembered; ++i) Close(Publish("s" + std::to_string(i)));
  EXPECT_EQ(Reason("s0"), "SOCKET_NOT_FOUND");
  EXPECT_EQ(Reason("s1"), "SOCKET_CLOSED");
  // One name closed again and again does not push out the memory of its last time.
  for (size_t i = 0; i < 3; ++i) Close(Publish("same"));
  EXPECT_EQ(Reason("same"), "SOCKET_CLOSED");
}

TEST_F(RegistryTest, LimitCountsReservedOnes) {
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(Reserve("s" + std::to_string(i)).ok());
  auto more = Reserve("more");
  ASSERT_FALSE(more.ok());
  EXPECT_EQ(more.error().reason, "LIMIT_REACHED");
  EXPECT_EQ(more.error().metadata.at("limit"), "max_sockets");
  EXPECT_EQ(more.error().metadata.at("allowed"), "5");
  EXPECT_EQ(Reserve("s0").error().reason, "SOCKET_EXISTS");
}

TEST_F(RegistryTest, RandomIdsAreIdsAndDiffer) {
  const RecordPtr first = Publish("");
  const RecordPtr second = Publish("");
  EXPECT_TRUE(IsSocketId(first->id())) << first->id();
  EXPECT_NE(first->id(), second->id());
  EXPECT_GE(first->id().size(), 20u) << "not to be guessed: " << first->id();
}

TEST_F(RegistryTest, BadIdAndLabels) {
  EXPECT_EQ(Reserve("No").error().metadata.at("field"), "socket_id");
  EXPECT_EQ(Reserve("yes", "me", {{"Bad", ""}}).error().metadata.at("field"), "labels");
  EXPECT_EQ(registry_.size(), 0u);
}

TEST_F(RegistryTest, PagesByName) {
  for (const char* id : {"d", "b", "a", "c"}) Publish(id);
  EXPECT_EQ(List("", 2), (Names{"a", "b"}));
  EXPECT_TRUE(registry_.List("me", Filter(), "", 2).second);
  EXPECT_EQ(List("b", 2), (Names{"c", "d"}));
  EXPECT_FALSE(registry_.List("me", Filter(), "b", 2).second);
  EXPECT_EQ(List("bb", 1), Names{"c"}) << "goes on after a name that is not there any more";
}

TEST_F(RegistryTest, LabelsChangeAllOrNothing) {
  const RecordPtr record = Publish("web", "me", {{"a", "1"}});
  auto changed = registry_.UpdateLabels(record, [](Labels& labels) { labels["b"] = "2"; });
  ASSERT_TRUE(changed.ok());
  EXPECT_EQ(changed->labels, (Labels{{"a", "1"}, {"b", "2"}}));
  auto refused = registry_.UpdateLabels(record, [](Labels& labels) {
    labels["c"] = "3";
    labels["Bad"] = "";
  });
  EXPECT_EQ(refused.error().metadata.at("field"), "socket.labels");
  EXPECT_EQ(registry_.Look(record).labels, (Labels{{"a", "1"}, {"b", "2"}}));
}

TEST_F(RegistryTest, CreateTimeIsTheClocks) {
  const RecordPtr record = Publish("web");
  EXPECT_EQ(registry_.Look(record).create_time, clock_.WallNow());
}

class NameWaits : public RegistryTest {
 protected:
  bool Wait(const std::string& id, net::WaiterId waiter, const std::string& uid = "", const std::string& owner = "me") {
    return registry_.FindOrWait(id, uid, owner, waiter, [this, waiter](RecordPtr record) {
      told_.push_back(std::to_string(waiter) + (record ? ":" + record->id() : ":end"));
    }) == nullptr;
  }
  Names told_;
};

TEST_F(NameWaits, ToldOnceWhenPublished) {
  EXPECT_TRUE(Wait("web", 1));
  EXPECT_TRUE(Wait("web", 2));
  EXPECT_TRUE(Wait("else", 3));
  auto record = Reserve("web");
  EXPECT_EQ(told_, Names());
  EXPECT_TRUE(registry_.Publish(*record).ok());
  EXPECT_EQ(told_, (Names{"1:web", "2:web"}));
  EXPECT_TRUE(registry_.Publish(*record).ok());
  EXPECT_EQ(told_.size(), 2u);
  EXPECT_FALSE(Wait("web", 4)) << "it is there";
}

TEST_F(NameWaits, NotForForeignSocketsOrOtherUids) {
  EXPECT_TRUE(Wait("web", 1));
  EXPECT_TRUE(Wait("web", 2, "another-uid"));
  const RecordPtr foreign = Publish("web", "them");
  EXPECT_EQ(told_, Names());
  EXPECT_TRUE(Wait("web", 3)) << "a foreign socket looks missing";
  Close(foreign);
  Publish("web");
  EXPECT_EQ(told_, (Names{"1:web", "3:web"}));
}

TEST_F(NameWaits, StoppedOnesAreNotTold) {
  EXPECT_TRUE(Wait("web", 1));
  EXPECT_TRUE(Wait("web", 2));
  registry_.StopWaiting("web", 1);
  registry_.StopWaiting("web", 99);
  Publish("web");
  EXPECT_EQ(told_, Names{"2:web"});
}

TEST_F(NameWaits, AllEndWhenTheDaemonStops) {
  EXPECT_TRUE(Wait("a", 1));
  EXPECT_TRUE(Wait("b", 2));
  registry_.EndNameWaits();
  EXPECT_EQ(told_, (Names{"1:end", "2:end"}));
  Publish("a");
  EXPECT_EQ(told_.size(), 2u);
}

// A callback runs without the mutex: it may use the registry.
TEST_F(NameWaits, CallbacksMayCallBack) {
  bool found = false;
  registry_.FindOrWait("web", "", "me", 1, [&](RecordPtr record) {
    found = registry_.Find("web", record->uid(), "me").ok();
    registry_.StopWaiting("web", 1);
  });
  Publish("web");
  EXPECT_TRUE(found);
}

}  // namespace
}  // namespace socketeer::registry
