#include "client/report/html.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/report/sample.h"

namespace socketeer::report {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr size_t kMiB = 1 << 20;

TEST(Html, StepsThatAreLeftOutAreTold) {
  const std::string page = ToHtml(RunOf({Large(3000)}));
  EXPECT_THAT(page, HasSubstr("2000 steps are left out"));
  EXPECT_THAT(page, HasSubstr("it was not done within 10s"));
  EXPECT_LT(page.size(), 3 * kMiB);
}

TEST(Html, AThousandStepsAreAllShown) { EXPECT_THAT(ToHtml(RunOf({Large(1000)})), Not(HasSubstr("left out"))); }

TEST(Html, ManyLargeScenariosAreBounded) {
  const std::string page = ToHtml(RunOf(std::vector<ScenarioResult>(50, Large(1000))));
  EXPECT_THAT(page, HasSubstr("Its steps are left out: this page would be too large"));
  EXPECT_LT(page.size(), 10 * kMiB);
}

TEST(Html, CountlessScenariosAreBounded) {
  ScenarioResult scenario = HalfClose();
  scenario.events.clear();
  const std::string page = ToHtml(RunOf(std::vector<ScenarioResult>(20'000, scenario)));
  EXPECT_THAT(page, HasSubstr("scenarios more are left out"));
  EXPECT_LT(page.size(), 13 * kMiB);
}

TEST(Html, LongTextIsBounded) {
  ScenarioResult scenario = Large(1000);
  for (Event& event : scenario.events)
    event.title = event.message = event.socket = event.branch = std::string(100'000, 'x');
  EXPECT_LT(ToHtml(RunOf({scenario})).size(), 8 * kMiB);
}

}  // namespace
}  // namespace socketeer::report
