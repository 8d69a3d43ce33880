#include "server/rpc/page_token.h"

#include <gtest/gtest.h>

namespace socketeer::rpc {
namespace {

TEST(PageToken, ComesBack) {
  for (const char* id : {"a", "web-1", "s-0123456789abcdef"}) {
    for (const char* filter : {"", "state = BOUND", "labels.app = \"x y\""}) {
      auto read = ReadPageToken(MakePageToken(id, filter), filter);
      ASSERT_TRUE(read.ok()) << id << " " << filter;
      EXPECT_EQ(*read, id);
    }
  }
}

TEST(PageToken, EmptyIsTheFirstPage) { EXPECT_EQ(*ReadPageToken("", "anything"), ""); }

TEST(PageToken, IsBoundToItsFilter) {
  const std::string token = MakePageToken("web", "state = BOUND");
  for (const char* filter : {"", "state = BOUND ", "state = CREATED"}) {
    auto read = ReadPageToken(token, filter);
    ASSERT_FALSE(read.ok()) << filter;
    EXPECT_EQ(read.error().metadata.at("field"), "page_token");
  }
}

// Never an id that no socket can have, never a crash.
TEST(PageToken, WhatWeDidNotMakeIsRefused) {
  const std::string good = MakePageToken("web", "");
  for (const std::string& token : {std::string("x"), std::string("web"), std::string("%%%"), std::string(10'000, 'A'),
                                   std::string("\0\xff", 2), good + "!", good.substr(1), MakePageToken("", ""),
                                   MakePageToken("No Id", ""), MakePageToken(std::string(64, 'a'), "")}) {
    auto read = ReadPageToken(token, "");
    ASSERT_FALSE(read.ok()) << token;
    EXPECT_EQ(read.error().reason, "INVALID_FIELD");
    EXPECT_EQ(read.error().metadata.at("field"), "page_token");
  }
}

TEST(PageToken, IsOpaqueAndSafeInUrls) {
  const std::string token = MakePageToken("web", "labels.app = web");
  EXPECT_EQ(token.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_="), token.npos)
      << token;
}

}  // namespace
}  // namespace socketeer::rpc
