#include "client/report/junit.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/report/summary.h"
#include "client/report/text.h"

namespace socketeer::report {
namespace {

constexpr size_t kMostDetail = 64 << 10;

bool IsError(Verdict verdict) {
  return verdict == Verdict::kUsage || verdict == Verdict::kUnreachable || verdict == Verdict::kInterrupted;
}

struct Suite {
  std::string file;
  std::vector<const ScenarioResult*> scenarios{};
};

std::vector<Suite> ByFile(const RunResult& result) {
  std::vector<Suite> suites;
  for (const ScenarioResult& scenario : result.scenarios) {
    const auto same = [&](const Suite& suite) { return suite.file == scenario.file; };
    auto suite = std::find_if(suites.begin(), suites.end(), same);
    if (suite == suites.end()) suite = suites.insert(suites.end(), Suite{scenario.file});
    suite->scenarios.push_back(&scenario);
  }
  return suites;
}

std::string Attribute(const char* name, const std::string& value) {
  return absl::StrCat(" ", name, "=\"", OneLine(Markup(value)), "\"");
}

// The attributes that suites have alike. Those who ask for a number of tests want the skipped among them.
std::string Totals(const std::vector<const ScenarioResult*>& scenarios, absl::Duration took) {
  int errors = 0;
  int failures = 0;
  int skipped = 0;
  for (const ScenarioResult* scenario : scenarios) {
    if (scenario->verdict == Verdict::kSkipped) ++skipped;
    if (!IsFailure(scenario->verdict)) continue;
    ++(IsError(scenario->verdict) ? errors : failures);
  }
  return absl::StrCat(" tests=\"", scenarios.size(), "\" failures=\"", failures, "\" errors=\"", errors,
                      "\" skipped=\"", skipped, "\" time=\"", Seconds(took), "\"");
}

// What the schema has no place for.
std::string Facts(const ScenarioResult& scenario) {
  std::vector<std::string> lines;
  if (!scenario.hosts.empty()) lines.push_back("hosts: " + absl::StrJoin(scenario.hosts, ", "));
  if (!scenario.tags.empty()) lines.push_back("tags: " + absl::StrJoin(scenario.tags, ", "));
  for (const auto& [name, value] : scenario.parameters) lines.push_back(absl::StrCat(name, "=", value));
  for (const Clock& clock : scenario.clocks) lines.push_back(ClockText(clock));
  if (!IsFailure(scenario.verdict)) {
    for (const std::string& failure : scenario.cleanup_failures) lines.push_back("cleanup: " + failure);
  }
  return absl::StrJoin(lines, "\n");
}

std::string Case(const ScenarioResult& scenario) {
  std::string xml =
      absl::StrCat("    <testcase", Attribute("name", FullName(scenario)), Attribute("classname", scenario.file),
                   " time=\"", Seconds(scenario.end - scenario.start), "\">\n");
  if (scenario.verdict == Verdict::kSkipped) {
    absl::StrAppend(&xml, "      <skipped", Attribute("message", scenario.message), "/>\n");
  } else if (IsFailure(scenario.verdict)) {
    const char* const element = IsError(scenario.verdict) ? "error" : "failure";
    absl::StrAppend(&xml, "      <", element, Attribute("message", FirstLine(scenario.message)),
                    Attribute("type", VerdictWord(scenario.verdict)), ">",
                    Markup(absl::StrJoin(FailureLines(scenario), "\n"), kMostDetail), "</", element, ">\n");
  }
  if (const std::string facts = Facts(scenario); !facts.empty()) {
    absl::StrAppend(&xml, "      <system-out>", Markup(facts, kMostDetail), "</system-out>\n");
  }
  return xml + "    </testcase>\n";
}

std::string SuiteXml(const Suite& suite, absl::Time run_start) {
  absl::Duration took;
  absl::Time start = absl::InfiniteFuture();
  for (const ScenarioResult* scenario : suite.scenarios) {
    took += scenario->end - scenario->start;
    if (scenario->verdict != Verdict::kSkipped) start = std::min(start, scenario->start);
  }
  if (start == absl::InfiniteFuture()) start = run_start;
  std::string xml =
      absl::StrCat("  <testsuite", Attribute("name", suite.file), Totals(suite.scenarios, took), " timestamp=\"",
                   absl::FormatTime("%Y-%m-%d%ET%H:%M:%S", start, absl::UTCTimeZone()), "\">\n");
  for (const ScenarioResult* scenario : suite.scenarios) xml += Case(*scenario);
  return xml + "  </testsuite>\n";
}

}  // namespace

std::string ToJunit(const RunResult& result) {
  std::vector<const ScenarioResult*> all;
  for (const ScenarioResult& scenario : result.scenarios) all.push_back(&scenario);
  std::string xml = absl::StrCat("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"socketeer\"",
                                 Totals(all, result.end - result.start), ">\n");
  for (const Suite& suite : ByFile(result)) xml += SuiteXml(suite, result.start);
  return xml + "</testsuites>\n";
}

}  // namespace socketeer::report
