#include "server/metrics/page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace socketeer::metrics {
namespace {

using ::testing::HasSubstr;
using namespace std::chrono_literals;

TEST(Page, TellsCountersAndGaugesAsTheyWereAdded) {
  base::Counter counter;
  counter.Add(3);
  Page page;
  page.Counters("a_total", "Some.");
  page.Add(counter, {{"kind", "x"}, {"state", "Y"}});
  page.Add(0, {{"kind", "z"}, {"state", "Y"}});
  page.Gauge("b", "One.", 2.5);
  EXPECT_EQ(page.Text(),
            "# HELP a_total Some.\n# TYPE a_total counter\n"
            "a_total{kind=\"x\",state=\"Y\"} 3\na_total{kind=\"z\",state=\"Y\"} 0\n"
            "# HELP b One.\n# TYPE b gauge\nb 2.5\n");
}

TEST(Page, ALargeCountIsToldToItsLastDigit) {
  base::Counter counter;
  counter.Add((uint64_t{1} << 53) - 1);  // beyond, a double tells no more
  Page page;
  page.Counter("a_total", "Some.", counter);
  EXPECT_THAT(page.Text(), HasSubstr("a_total 9007199254740991\n"));
}

TEST(Page, AHistogramsClassesHoldTheSmallerOnes) {
  base::Durations durations;
  for (const auto took : {10us, 60us, 60us}) durations.Observe(took);
  durations.Observe(90s);
  base::Durations::Reading reading;
  durations.ReadInto(&reading);
  Page page;
  page.Histograms("c_seconds", "Some.");
  page.Add(reading, {{"loop", "l"}});
  const std::string text = page.Text();
  for (const char* line :
       {"c_seconds_count{loop=\"l\"} 4\n", "c_seconds_sum{loop=\"l\"} 90.00013\n", "{loop=\"l\",le=\"5e-05\"} 1\n",
        "{loop=\"l\",le=\"0.0001\"} 3\n", "{loop=\"l\",le=\"60\"} 3\n", "{loop=\"l\",le=\"+Inf\"} 4\n"}) {
    EXPECT_THAT(text, HasSubstr(line));
  }
}

}  // namespace
}  // namespace socketeer::metrics
