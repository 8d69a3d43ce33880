#include "server/base/random.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>
#include <set>
#include <string>

namespace socketeer::base {
namespace {

TEST(Random, SocketIdsAreValidIds) {
  const std::regex shape("s-[a-z2-7]{26}");
  for (int i = 0; i < 1000; ++i) ASSERT_TRUE(std::regex_match(RandomSocketId(), shape)) << RandomSocketId();
}

TEST(Random, UidsAreUuidsOfVersion4) {
  const std::regex shape("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}");
  for (int i = 0; i < 1000; ++i) ASSERT_TRUE(std::regex_match(TextOf(RandomUid()), shape)) << "a UUID of version 4";
}

TEST(Random, NothingRepeats) {
  std::set<std::string> ids, uids;
  for (int i = 0; i < 10'000; ++i) {
    ids.insert(RandomSocketId());
    uids.insert(TextOf(RandomUid()));
  }
  EXPECT_EQ(ids.size(), 10'000u);
  EXPECT_EQ(uids.size(), 10'000u);
}

// Each place of an id takes each of its 32 letters: no bits are lost on the way.
TEST(Random, EveryPlaceOfAnIdIsRandom) {
  std::set<char> seen[26];
  for (int i = 0; i < 2'000; ++i) {  // the chance that one of 26 * 32 is missing: 2e-25
    const std::string id = RandomSocketId();
    for (int place = 0; place < 26; ++place) seen[place].insert(id[2 + place]);
  }
  for (const std::set<char>& letters : seen) EXPECT_EQ(letters.size(), 32u);
}

TEST(Random, NumbersBelowALimit) {
  std::set<size_t> seen;
  for (int i = 0; i < 2'000; ++i) seen.insert(RandomBelow(7));
  EXPECT_EQ(seen, (std::set<size_t>{0, 1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(RandomBelow(1), 0u);
}

}  // namespace
}  // namespace socketeer::base
