#include "server/guard/load.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <fstream>

#include "server/policy/policy_file.h"
#include "tests/support/temp_dir.h"

namespace socketeer::guard {
namespace {

using ::testing::HasSubstr;

class LoadTest : public ::testing::Test {
 protected:
  std::string Write(const std::string& text, mode_t mode = 0600) {
    std::ofstream(file_) << text;
    chmod(file_.c_str(), mode);
    return file_;
  }
  std::string WhyNot(const std::string& file) {
    auto loaded = LoadPolicy(file);
    EXPECT_FALSE(loaded.ok());
    return loaded.ok() ? "" : loaded.error().message;
  }

  testing::TempDir directory_;
  const std::string file_ = directory_.path() + "/policy.yaml";
};

TEST_F(LoadTest, AFitFile) {
  auto loaded = LoadPolicy(Write("rules: [{allow: [open], identities: [any]}]\ncases: [[uid:1, open, tcp4, allow]]"));
  ASSERT_TRUE(loaded.ok()) << loaded.error().message;
  EXPECT_EQ((*loaded)->rules.size(), 1u);
  EXPECT_TRUE(LoadPolicy(Write("rules: []", 0644)).ok());
}

TEST_F(LoadTest, WhatIsWrongIsSaid) {
  EXPECT_THAT(WhyNot(file_), HasSubstr("policy.yaml: No such file or directory"));
  EXPECT_THAT(WhyNot(directory_.path()), HasSubstr("not a file"));
  EXPECT_THAT(WhyNot("/dev/null"), HasSubstr("not a file"));
  EXPECT_THAT(WhyNot(Write("rules: [")), HasSubstr("policy.yaml:1"));
  EXPECT_THAT(WhyNot(Write("rules: []\ncases: [[uid:1, open, tcp4, allow]]")),
              HasSubstr("a case of it fails: " + file_ + ":2: uid:1 open tcp4: denied: no rule matches"));
  EXPECT_THAT(WhyNot(Write(std::string(policy::kMaxPolicyBytes + 1, '#'))), HasSubstr("larger than 1048576 bytes"));
}

TEST_F(LoadTest, AFileThatOthersMayWriteIsNoPolicy) {
  for (const mode_t mode : {0620, 0602, 0666}) EXPECT_THAT(WhyNot(Write("rules: []", mode)), HasSubstr("chmod go-w"));
}

TEST_F(LoadTest, AFifoIsNotWaitedFor) {
  ASSERT_EQ(mkfifo(file_.c_str(), 0600), 0);
  EXPECT_THAT(WhyNot(file_), HasSubstr("not a file"));
}

}  // namespace
}  // namespace socketeer::guard
