#include "client/report/html.h"

#include <algorithm>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/report/html_scenario.h"
#include "client/report/html_style.h"
#include "client/report/summary.h"
#include "client/report/text.h"

namespace socketeer::report {
namespace {

// Beyond this scenarios are told without steps, beyond twice as much only counted.
constexpr size_t kFull = 6 << 20;
constexpr size_t kAtAll = 2 * kFull;
constexpr size_t kMostNamed = 200;

struct Numbered {
  size_t index;
  const ScenarioResult* scenario;
};

int Rank(Verdict verdict) { return IsFailure(verdict) ? 0 : verdict == Verdict::kPassed ? 2 : 1; }

std::vector<Numbered> FailuresFirst(const RunResult& result) {
  std::vector<Numbered> order;
  for (size_t i = 0; i < result.scenarios.size(); ++i) order.push_back({i, &result.scenarios[i]});
  std::stable_sort(order.begin(), order.end(), [](const Numbered& one, const Numbered& other) {
    return Rank(one.scenario->verdict) < Rank(other.scenario->verdict);
  });
  return order;
}

std::string Strip(const Counts& counts) {
  std::string strip = "<div class=\"strip\" aria-hidden=\"true\">";
  const auto add = [&](const char* kind, int count) {
    if (count > 0) absl::StrAppend(&strip, "<span class=\"", kind, "\" style=\"flex:", count, "\"></span>");
  };
  add("bad", counts.failed);
  add("skip", counts.skipped);
  add("good", counts.passed);
  return strip + "</div>\n";
}

std::string Headline(const RunResult& result, const Counts& counts) {
  if (counts.failed > 0)
    return absl::StrCat("<span class=\"bad\">", counts.failed,
                        result.scenarios.size() == 1 ? "" : absl::StrCat(" of ", result.scenarios.size()),
                        " failed</span>");
  return counts.passed == 0
             ? "Nothing ran"
             : absl::StrCat("<span class=\"good\">", result.scenarios.size() == 1 ? "" : "All ", "passed</span>");
}

std::string Top(const RunResult& result) {
  const Counts counts = CountVerdicts(result);
  std::string top = absl::StrCat("<header>\n<h1>", Headline(result, counts), "</h1>\n<p>", Markup(SummaryLine(result)),
                                 "</p>\n", Strip(counts), "<p class=\"faint\">",
                                 absl::FormatTime("%Y-%m-%d %H:%M:%S UTC", result.start, absl::UTCTimeZone()));
  if (result.seed.has_value()) absl::StrAppend(&top, " \xc2\xb7 shuffled with seed ", *result.seed);
  return top + "</p>\n</header>\n";
}

std::string FailureTable(const std::vector<Numbered>& order) {
  std::string rows;
  size_t named = 0;
  size_t failures = 0;
  for (const auto& [index, scenario] : order) {
    if (!IsFailure(scenario->verdict)) continue;
    if (++failures > kMostNamed) continue;
    ++named;
    absl::StrAppend(&rows, "<tr><td>", Chip(scenario->verdict), "</td><td><a class=\"name\" href=\"#s", index, "\">",
                    Markup(FullName(*scenario), 300), "</a></td><td>", Markup(scenario->host, 100), "</td><td>",
                    Markup(FirstLine(scenario->message, 300)), "</td></tr>\n");
  }
  if (failures < 2) return "";  // it is what comes next
  if (failures > named)
    absl::StrAppend(&rows, "<tr><td colspan=\"4\">and ", failures - named, " more, below</td></tr>\n");
  return "<h2>Failures</h2>\n<div "
         "class=\"scroll\"><table><tr><th>Verdict</th><th>Scenario</th><th>Host</th><th>Why</th></tr>\n" +
         rows + "</table></div>\n";
}

}  // namespace

std::string ToHtml(const RunResult& result) {
  const std::vector<Numbered> order = FailuresFirst(result);
  const int failed = CountVerdicts(result).failed;
  std::string page = absl::StrCat(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; img-src "
      "data:\"/>\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
      "<link rel=\"icon\" href=\"data:,\"/>\n<title>",
      failed > 0 ? absl::StrCat(failed, " failed") : "passed", " - socketeer run</title>\n<style>", kPageStyle,
      "</style>\n</head>\n<body>\n", Top(result), FailureTable(order), "<h2>Scenarios</h2>\n");
  size_t left_out = 0;
  for (const auto& [index, scenario] : order) {
    if (page.size() > kAtAll) {
      ++left_out;
    } else {
      page += ScenarioSection(*scenario, index, page.size() < kFull);
    }
  }
  if (left_out > 0) {
    absl::StrAppend(&page, "<p class=\"odd\">", left_out,
                    " scenarios more are left out: this page would be too large. The JSON report has them all.</p>\n");
  }
  absl::StrAppend(&page, "<footer>socketeer ", Markup(result.version),
                  ". Times are of the runner's clock, for all hosts alike.</footer>\n</body>\n</html>\n");
  return page;
}

}  // namespace socketeer::report
