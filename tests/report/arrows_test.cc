#include "client/report/arrows.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/report/sample.h"

namespace socketeer::report {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// "connection open client tcp -> accept server as peer".
std::vector<std::string> Told(const std::vector<Event>& events) {
  const char* const kinds[] = {"connection", "data", "end"};
  std::vector<std::string> told;
  for (const Arrow& arrow : FindArrows(events)) {
    told.push_back(std::string(kinds[static_cast<int>(arrow.kind)]) + " " + events[arrow.from].title + " -> " +
                   events[arrow.to].title + (arrow.bytes > 0 ? " " + std::to_string(arrow.bytes) : ""));
  }
  return told;
}

Event Ends(Event event, const char* local, const char* peer) {
  event.local = local;
  event.peer = peer;
  return event;
}

Event Sent(double start, uint64_t bytes) {
  Event event = Ends(Step("a", "send", "s" + std::to_string(static_cast<int>(start)), start, start + 1), "A", "B");
  event.bytes_sent = bytes;
  return event;
}

Event Received(double start, uint64_t bytes) {
  Event event = Ends(Step("b", "recv", "r" + std::to_string(static_cast<int>(start)), start, start + 1), "B", "A");
  event.bytes_received = bytes;
  return event;
}

TEST(Arrows, JoinTheTwoEndsOfAConnection) {
  EXPECT_THAT(Told(HalfClose().events), ElementsAre("connection open client tcp -> accept server as peer",
                                                    "data the greeting -> recv peer, 5 bytes at least 5",
                                                    "end shutdown client, write -> recv peer: the end",
                                                    "data send peer 64 KiB of zeros -> recv client, all of it 65536",
                                                    "data send beacon \"still here\" -> recv beacon 10"));
}

TEST(Arrows, CountTheBytesOfAStream) {
  const std::vector<Event> events = {Ends(Step("b", "accept", "accepted", 0, 1), "B", "A"), Sent(2, 10), Sent(4, 6),
                                     Received(6, 4), Received(8, 12)};
  EXPECT_THAT(Told(events), ElementsAre("data s2 -> r6 4", "data s2 -> r8 6", "data s4 -> r8 6"));
}

TEST(Arrows, KnowTheAddressesOfASocketThatTellsThemNoMore) {
  std::vector<Event> events = {Ends(Step("b", "accept", "accepted", 0, 2), "B", "A"),
                               Ends(Step("a", "open", "opened", 1, 2), "A", "B"), Sent(3, 5), Received(4, 5)};
  for (Event& event : events) event.socket = "one";
  for (const size_t i : {2, 3}) events[i].local = events[i].peer = "";
  EXPECT_THAT(Told(events), ElementsAre("connection opened -> accepted", "data s3 -> r4 5"));
}

TEST(Arrows, KnowADatagramByItsSize) {
  // The first one was lost.
  EXPECT_THAT(Told({Sent(2, 10), Sent(4, 6), Received(6, 6)}), ElementsAre("data s4 -> r6 6"));
}

TEST(Arrows, NeverLeadBackInTime) { EXPECT_THAT(Told({Received(2, 10), Sent(4, 10)}), IsEmpty()); }

TEST(Arrows, JoinHostsOnly) {
  Event receive = Received(3, 10);
  receive.host = "a";
  EXPECT_THAT(Told({Sent(2, 10), receive}), IsEmpty());
}

TEST(Arrows, FollowNoConnectionThatFailed) {
  Event refused = Ends(Step("a", "open", "refused", 1, 2), "A", "B");
  refused.errno_name = "ECONNREFUSED";
  EXPECT_THAT(Told({Ends(Step("b", "accept", "accepted", 0, 4), "B", "A"), refused}), IsEmpty());
}

}  // namespace
}  // namespace socketeer::report
