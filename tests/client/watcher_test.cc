#include "socketeer/watcher.h"

#include <optional>
#include <utility>

#include "gtest/gtest.h"
#include "socketeer/error.h"
#include "socketeer/host.h"
#include "tests/client/fake_daemon.h"
#include "tests/client/fake_status.h"

namespace socketeer {
namespace {

const grpc::Status kBroken(grpc::StatusCode::UNAVAILABLE, "Socket closed");

v1::WatchSocketsResponse UpTo(uint64_t revision) {
  v1::WatchSocketsResponse response;
  response.add_changes()->set_revision(revision);
  response.set_revision(revision);
  return response;
}

class WatcherTest : public ::testing::Test {
 protected:
  // The answer that the watcher reads; what its stream was begun with stays to be seen.
  v1::WatchSocketsResponse Read(Watcher& watcher, const v1::WatchSocketsResponse& answer) {
    daemon_.watches().Answer(answer);
    return watcher.Next().value();
  }

  FakeDaemon daemon_;
  Host host_ = Host::Connect(daemon_.endpoint()).value();
};

TEST_F(WatcherTest, GoesOnBehindItsRevision) {
  Watcher watcher = host_.InSession("a")->Watch();
  EXPECT_EQ(watcher.revision(), std::nullopt);
  EXPECT_EQ(Read(watcher, UpTo(7)).changes(0).revision(), 7u);
  const auto first = daemon_.watches().AwaitBegun();
  EXPECT_FALSE(first.request.has_revision());
  EXPECT_EQ(first.session, "sessions/a");
  EXPECT_EQ(watcher.revision(), 7u);

  daemon_.watches().End(kBroken);
  EXPECT_EQ(Classify(watcher.Next().status()), ErrorKind::kUnreachable);
  Watcher moved = std::move(watcher);
  Read(moved, UpTo(9));
  EXPECT_EQ(daemon_.watches().AwaitBegun().request.revision(), 7u);
  EXPECT_EQ(moved.revision(), 9u);
}

TEST_F(WatcherTest, AnAnswerWithoutChangesKeepsItsPlace) {
  Watcher watcher = host_.Watch(3);
  EXPECT_EQ(Read(watcher, {}).changes_size(), 0);
  EXPECT_EQ(watcher.revision(), 3u);
  daemon_.watches().End(kBroken);
  EXPECT_FALSE(watcher.Next().ok());
  v1::WatchSocketsResponse moved;
  moved.set_revision(5);
  EXPECT_EQ(Read(watcher, moved).changes_size(), 0);
  EXPECT_EQ(watcher.revision(), 5u);
}

TEST_F(WatcherTest, ASnapshotThatBrokeIsBegunAgain) {
  Watcher watcher = host_.Watch();
  v1::WatchSocketsResponse part;
  part.add_changes()->set_kind(v1::CHANGE_KIND_SNAPSHOT);
  Read(watcher, part);
  EXPECT_EQ(watcher.revision(), std::nullopt);
  daemon_.watches().AwaitBegun();
  daemon_.watches().End(kBroken);
  EXPECT_FALSE(watcher.Next().ok());
  Read(watcher, UpTo(1));
  EXPECT_FALSE(daemon_.watches().AwaitBegun().request.has_revision());
}

TEST_F(WatcherTest, TellsThatTheRevisionIsTooOld) {
  Watcher watcher = host_.Watch(3);
  Read(watcher, {});
  EXPECT_EQ(daemon_.watches().AwaitBegun().request.revision(), 3u);
  EXPECT_EQ(watcher.revision(), 3u);
  daemon_.watches().End(DaemonStatus(grpc::StatusCode::OUT_OF_RANGE, "REVISION_TOO_OLD", v1::ORIGIN_REGISTRY));
  const absl::Status status = watcher.Next().status();
  EXPECT_EQ(ReasonOf(status), "REVISION_TOO_OLD");
  EXPECT_EQ(Classify(status), ErrorKind::kDaemon);
}

TEST_F(WatcherTest, AStreamThatEndsWithoutAnErrorIsOne) {
  Watcher watcher = host_.Watch();
  Read(watcher, UpTo(1));
  daemon_.watches().End(grpc::Status::OK);
  EXPECT_EQ(Classify(watcher.Next().status()), ErrorKind::kProtocol);
}

TEST_F(WatcherTest, TheDaemonIsLeftAtTheEnd) {
  Watcher watcher = host_.Watch();
  Read(watcher, UpTo(1));
  watcher = host_.Watch();
  daemon_.watches().AwaitLeft();
}

}  // namespace
}  // namespace socketeer
