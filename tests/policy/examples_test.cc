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

// The rule without one of its conditions, and without one of its verbs.
std::vector<Rule> Loosened(const Rule& rule) {
  std::vector<Rule> loosened;
  const auto without = [&](auto Rule::*condition) {
    if ((rule.*condition).empty()) return;
    loosened.push_back(rule);
    (loosened.back().*condition).clear();
  };
  without(&Rule::families);
  without(&Rule::protocols);
  without(&Rule::addresses);
  without(&Rule::ports);
  without(&Rule::paths);
  without(&Rule::names);
  for (int verb = 0; verb < kVerbs && rule.verbs.count() < kVerbs; ++verb) {
    if (!rule.verbs[static_cast<size_t>(verb)]) continue;
    loosened.push_back(rule);
    loosened.back().verbs.reset(static_cast<size_t>(verb));
  }
  return loosened;
}

TEST(ExamplesOfPolicies, ACaseFailsWithoutOneConditionOrVerb) {
  for (const auto& [file, policy] : Examples()) {
    for (size_t i = 0; i < policy.rules.size(); ++i) {
      const std::vector<Rule> loosened = Loosened(policy.rules[i]);
      for (size_t which = 0; which < loosened.size(); ++which) {
        Policy changed = policy;
        changed.rules[i] = loosened[which];
        EXPECT_NE(changed.FailedCases(), std::vector<std::string>())
            << file << ": " << policy.rules[i].name << ", its condition or verb " << which;
      }
    }
  }
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
