// The policies that are shipped: their cases hold, and there is one for each rule and for its place.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <utility>
#include <vector>

#include "server/policy/policy_file.h"

namespace socketeer::policy {
namespace {

std::vector<std::pair<std::string, Policy>> Examples() {
  std::vector<std::pair<std::string, Policy>> examples;
  for (const auto& entry : std::filesystem::directory_iterator("deploy/policy")) {
    std::ostringstream text;
    text << std::ifstream(entry.path()).rdbuf();
    auto policy = ParsePolicy(text.str(), entry.path());
    EXPECT_TRUE(policy.ok()) << policy.error().message;
    if (policy.ok()) examples.emplace_back(entry.path(), *std::move(policy));
  }
  EXPECT_GE(examples.size(), 2u);
  return examples;
}

TEST(ExamplesOfPolicies, TheirCasesHold) {
  for (const auto& [file, policy] : Examples()) EXPECT_EQ(policy.FailedCases(), std::vector<std::string>()) << file;
}

// Else nobody would notice a mistake in them.
TEST(ExamplesOfPolicies, ACaseFailsWhenARuleIsFlippedRemovedOrSwapped) {
  for (const auto& [file, policy] : Examples()) {
    for (size_t i = 0; i < policy.rules.size(); ++i) {
      const std::string what = file + ": " + policy.rules[i].name;
      Policy flipped = policy, without = policy, swapped = policy;
      flipped.rules[i].allow = !flipped.rules[i].allow;
      EXPECT_NE(flipped.FailedCases(), std::vector<std::string>()) << what << " flipped";
      without.rules.erase(without.rules.begin() + static_cast<std::ptrdiff_t>(i));
      EXPECT_NE(without.FailedCases(), std::vector<std::string>()) << what << " removed";
      if (i + 1 == policy.rules.size()) continue;
      std::swap(swapped.rules[i], swapped.rules[i + 1]);
      EXPECT_NE(swapped.FailedCases(), std::vector<std::string>()) << what << " behind the next";
    }
  }
}

}  // namespace
}  // namespace socketeer::policy
