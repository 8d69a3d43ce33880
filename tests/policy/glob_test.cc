#include "server/policy/glob.h"

#include <gtest/gtest.h>

#include <string>

namespace socketeer::policy {
namespace {

TEST(Glob, AStarStopsAtASlash) {
  EXPECT_TRUE(Matches("/run/*", "/run/x"));
  EXPECT_TRUE(Matches("/run/*", "/run/"));
  EXPECT_FALSE(Matches("/run/*", "/run/a/b"));
  EXPECT_FALSE(Matches("/run/*", "/run"));
  EXPECT_TRUE(Matches("/run/*/s", "/run/a/s"));
  EXPECT_FALSE(Matches("/run/*/s", "/run/a/b/s"));
  EXPECT_TRUE(Matches("*.example", "a.b.example"));
  EXPECT_FALSE(Matches("*.example", "a.example."));
}

TEST(Glob, TwoStarsDoNot) {
  EXPECT_TRUE(Matches("/srv/**", "/srv/a/b"));
  EXPECT_TRUE(Matches("**", ""));
  EXPECT_TRUE(Matches("**", "spiffe://lab/x"));
  EXPECT_TRUE(Matches("/**/s", "/a/b/s"));
  EXPECT_FALSE(Matches("/**/s", "/s"));
}

TEST(Glob, AnAbstractNameHasNoFolders) {
  EXPECT_TRUE(Matches("@*", "@/containerd-shim/x"));
  EXPECT_TRUE(Matches("@lab-*", "@lab-a/b"));
  EXPECT_FALSE(Matches("@*", "x@"));
}

TEST(Glob, AllElseIsItself) {
  EXPECT_TRUE(Matches("uid:1000", "uid:1000"));
  EXPECT_FALSE(Matches("uid:1000", "uid:10000"));
  EXPECT_FALSE(Matches("uid:1000", "uid:100"));
  EXPECT_FALSE(Matches("a.c", "abc"));
  EXPECT_TRUE(Matches("a?[b]\\", "a?[b]\\"));
  EXPECT_TRUE(Matches("", ""));
  EXPECT_FALSE(Matches("", "a"));
}

// A matcher that tries one star after the other would need a lifetime.
TEST(Glob, ManyStarsTakeNoLonger) {
  std::string pattern;
  for (int i = 0; i < 500; ++i) pattern += "*a";
  EXPECT_FALSE(Matches(pattern + "b", std::string(1'000, 'a')));
  EXPECT_TRUE(Matches(pattern, std::string(1'000, 'a')));
}

}  // namespace
}  // namespace socketeer::policy
