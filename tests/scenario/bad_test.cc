// What is said about wrong scenarios: each file of tests/scenarios/bad has its message, with its place, in the first
// line.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "client/scenario/model.h"

namespace socketeer::scenario {
namespace {

std::vector<std::string> BadScenarios() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator("tests/scenarios/bad")) {
    names.push_back(entry.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

class BadScenario : public ::testing::TestWithParam<std::string> {};

TEST_P(BadScenario, IsToldWithItsPlace) {
  const std::string file = GetParam() + ".yaml";
  const std::string path = "tests/scenarios/bad/" + file;
  std::ifstream in(path);
  std::stringstream text;
  text << in.rdbuf();
  std::string expected = text.str().substr(0, text.str().find('\n'));
  ASSERT_TRUE(expected.starts_with("# ")) << expected;
  const auto scenario = ReadScenario(text.str(), path);
  EXPECT_EQ(scenario.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(std::string(scenario.status().message()), path + ":" + expected.substr(2));
}

INSTANTIATE_TEST_SUITE_P(Files, BadScenario, ::testing::ValuesIn(BadScenarios()),
                         [](const auto& file) { return file.param; });

TEST(BadScenarios, AreMany) { EXPECT_GE(BadScenarios().size(), 30u); }

}  // namespace
}  // namespace socketeer::scenario
