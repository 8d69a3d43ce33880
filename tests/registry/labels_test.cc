#include "server/registry/labels.h"

#include <gtest/gtest.h>

#include <string>

namespace socketeer::registry {
namespace {

base::Limits Limits() { return base::DefaultLimits(20'000); }

TEST(Labels, Keys) {
  for (const char* key : {"a", "0", "app", "a.b", "a_b", "a/b", "a-b", "app.kubernetes.io/name"}) {
    EXPECT_TRUE(IsLabelKey(key)) << key;
  }
  for (const char* key : {"", "A", "-a", ".a", "/a", "_a", "a b", "a=b", "a\"", "ä"})
    EXPECT_FALSE(IsLabelKey(key)) << key;
  EXPECT_TRUE(IsLabelKey(std::string(63, 'k')));
  EXPECT_FALSE(IsLabelKey(std::string(64, 'k')));
  EXPECT_FALSE(IsLabelKey(std::string_view("a\0b", 3)));
}

TEST(Labels, WithinAllBounds) {
  EXPECT_TRUE(CheckLabels({}, Limits(), "labels").ok());
  EXPECT_TRUE(CheckLabels({{"a", ""}, {"b", std::string(255, 'v')}}, Limits(), "labels").ok());
}

TEST(Labels, BadKeyIsNamed) {
  auto status = CheckLabels({{"Web", "x"}}, Limits(), "labels");
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().metadata.at("field"), "labels");
  EXPECT_EQ(status.error().metadata.at("given"), "Web");
}

TEST(Labels, LongValueIsNamedByItsKey) {
  auto status = CheckLabels({{"web", std::string(256, 'v')}}, Limits(), "socket.labels");
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().metadata.at("field"), "socket.labels.web");
}

TEST(Labels, TooMany) {
  Labels labels;
  for (int i = 0; i < 64; ++i) labels["k" + std::to_string(i)] = "v";
  EXPECT_TRUE(CheckLabels(labels, Limits(), "labels").ok());
  labels["one-more"] = "v";
  auto status = CheckLabels(labels, Limits(), "labels");
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().reason, "LIMIT_REACHED");
  EXPECT_EQ(status.error().metadata.at("limit"), "max_labels");
  EXPECT_EQ(status.error().metadata.at("allowed"), "64");
}

TEST(Labels, TooManyBytesTogether) {
  Labels labels;
  for (int i = 0; i < 8; ++i) labels["k" + std::to_string(i)] = std::string(254, 'v');
  EXPECT_TRUE(CheckLabels(labels, Limits(), "labels").ok());  // 8 * 256 = 2048
  labels["k0"] += "v";
  auto status = CheckLabels(labels, Limits(), "labels");
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, base::Code::kResourceExhausted);
  EXPECT_EQ(status.error().metadata.at("limit"), "max_label_bytes");
  EXPECT_EQ(status.error().metadata.at("allowed"), "2048");
}

}  // namespace
}  // namespace socketeer::registry
