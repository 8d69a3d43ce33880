#include "client/report/text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace socketeer::report {
namespace {

using ::testing::ElementsAre;

TEST(Text, LegibleKeepsLinesAndBackslashes) { EXPECT_EQ(Legible("one\\x00\ntwo\t\x1b"), "one\\x00\ntwo\\x09\\x1b"); }

TEST(Text, WhatIsNotUtf8IsToldByteByByte) {
  EXPECT_EQ(Legible("\xc3\xa4"), "\xc3\xa4");
  EXPECT_EQ(Legible("\xc3\xa4\n\xff"), "\\xc3\\xa4\n\\xff");
}

TEST(Text, WhatIsNoCharacterIsToldByteByByte) { EXPECT_EQ(Legible("\xef\xbf\xbf"), "\\xef\\xbf\\xbf"); }

TEST(Text, DirectionIsNotTurned) { EXPECT_EQ(Legible("a\xe2\x80\xae"), "a\\xe2\\x80\\xae"); }

TEST(Text, CutsBetweenCharacters) {
  EXPECT_EQ(Legible("a\xc3\xa4z", 2), "a...");
  EXPECT_EQ(Cut("a\xc3\xa4z", 3), "a\xc3\xa4z");
  EXPECT_EQ(Cut("a\xc3\xa4zz", 3), "a\xc3\xa4\xe2\x80\xa6");
  EXPECT_EQ(Cut("abc", 0), "");
}

TEST(Text, WideCharactersTakeTwoColumns) {
  EXPECT_EQ(Columns("\xe6\xbc\xa2z"), 3);
  EXPECT_EQ(Cut("\xe6\xbc\xa2\xe5\xad\x97", 3), "\xe6\xbc\xa2\xe2\x80\xa6");
}

TEST(Text, WrapsAtBlanksAndCutsTheLastLine) {
  EXPECT_THAT(Wrapped("one two three", 8, 3), ElementsAre("one two", "three"));
  EXPECT_THAT(Wrapped("onetwothree", 4, 2), ElementsAre("onet", "wot\xe2\x80\xa6"));
  EXPECT_THAT(Wrapped("", 4, 2), ElementsAre());
}

TEST(Text, FirstLineTellsThatThereIsMore) {
  EXPECT_EQ(FirstLine("one"), "one");
  EXPECT_EQ(FirstLine("one\ntwo"), "one ...");
  EXPECT_EQ(OneLine("one\ntwo"), "one two");
}

TEST(Text, MarkupIsText) { EXPECT_EQ(Markup("<a b=\"c\">&'"), "&lt;a b=&quot;c&quot;&gt;&amp;&#39;"); }

TEST(Text, Durations) {
  EXPECT_EQ(DurationText(absl::ZeroDuration()), "0us");
  EXPECT_EQ(DurationText(absl::Microseconds(340)), "340us");
  EXPECT_EQ(DurationText(absl::Microseconds(999.9)), "1.00ms");
  EXPECT_EQ(DurationText(absl::Milliseconds(12.34)), "12.3ms");
  EXPECT_EQ(DurationText(absl::Milliseconds(999.9)), "1.00s");
  EXPECT_EQ(DurationText(absl::Seconds(59.96)), "1m0s");
  EXPECT_EQ(DurationText(absl::Minutes(61)), "1h1m");
  EXPECT_EQ(DurationText(-absl::Seconds(2)), "-2.00s");
  EXPECT_EQ(DurationText(absl::InfiniteDuration()), "for ever");
}

TEST(Text, Bytes) {
  EXPECT_EQ(BytesText(0), "0 B");
  EXPECT_EQ(BytesText(1023), "1023 B");
  EXPECT_EQ(BytesText(65536), "64.0 KiB");
  EXPECT_EQ(BytesText(UINT64_MAX), "16384 PiB");
}

}  // namespace
}  // namespace socketeer::report
