#include "server/base/printable.h"

#include <gtest/gtest.h>

namespace socketeer::base {
namespace {

using namespace std::string_literals;

TEST(Printable, LeavesPlainTextAlone) { EXPECT_EQ(Printable("/run/a b~.sock"), "/run/a b~.sock"); }

TEST(Printable, EscapesEverythingElse) {
  EXPECT_EQ(Printable("a\0b\n\x1f\x7f\xff"s), "a\\x00b\\x0a\\x1f\\x7f\\xff");
  EXPECT_EQ(Printable("\xc3\xa4"), "\\xc3\\xa4") << "UTF-8 too: half a character would not be UTF-8";
}

TEST(Printable, ABackslashCannotPretendToBeAnEscape) {
  EXPECT_EQ(Printable("\\x00"), "\\\\x00");
  EXPECT_NE(Printable("\\x00"), Printable("\0"s));
}

TEST(Printable, CutsBetweenCharacters) {
  EXPECT_EQ(Printable("12345", 5), "12345");
  EXPECT_EQ(Printable("123456", 5), "12345...");
  EXPECT_EQ(Printable("123\n", 5), "123...") << "not inside an escape";
  EXPECT_EQ(Printable("12345", 0), "...");
  EXPECT_EQ(Printable("", 0), "");
}

}  // namespace
}  // namespace socketeer::base
