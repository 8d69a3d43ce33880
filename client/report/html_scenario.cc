#include "client/report/html_scenario.h"

#include <algorithm>
#include <iterator>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/report/diagram.h"
#include "client/report/summary.h"
#include "client/report/text.h"
#include "client/report/timeline.h"

namespace socketeer::report {
namespace {

constexpr size_t kMostEvents = 1000;  // drawn and listed, of a scenario
constexpr size_t kMostText = 500;     // bytes of what stands in a table
constexpr size_t kMostMessage = 8000;
constexpr size_t kMostRows = 200;
// The columns that have numbers.
constexpr std::string_view kNumbers[] = {"Start", "Took", "At host", "Line", "Sent", "Received"};

const char* Colour(Verdict verdict) {
  if (IsFailure(verdict)) return "bad";
  return verdict == Verdict::kPassed ? "good" : "skip";
}

std::string Cell(const std::string& text, const char* kind = "") {
  return absl::StrCat("<td", *kind == 0 ? "" : " class=\"", kind, *kind == 0 ? "" : "\"", ">", Markup(text, kMostText),
                      "</td>");
}

std::string Table(const std::vector<const char*>& heads, const std::string& rows) {
  std::string html = "<div class=\"scroll\"><table><tr>";
  for (const std::string_view head : heads) {
    const bool number = std::find(std::begin(kNumbers), std::end(kNumbers), head) != std::end(kNumbers);
    absl::StrAppend(&html, number ? "<th class=\"number\">" : "<th>", std::string(head), "</th>");
  }
  return absl::StrCat(html, "</tr>\n", rows, "</table></div>\n");
}

std::string LeftOut(size_t count, const char* what) {
  if (count == 0) return "";
  return absl::StrCat("<p class=\"odd\">", count, " ", what, " left out here; the JSON report has them.</p>\n");
}

std::string Summary(const ScenarioResult& scenario) {
  std::string html = absl::StrCat("<summary class=\"top\">", Chip(scenario.verdict), "<span class=\"name\">",
                                  Markup(scenario.name, kMostText), "</span>");
  for (const auto& [name, value] : scenario.parameters) {
    absl::StrAppend(&html, "<code>", Markup(absl::StrCat(name, "=", value), kMostText), "</code>");
  }
  for (const std::string& tag : scenario.tags)
    absl::StrAppend(&html, "<span class=\"tag\">", Markup(tag, 100), "</span>");
  if (scenario.repetition > 1)
    absl::StrAppend(&html, "<span class=\"faint\">repetition ", scenario.repetition, "</span>");
  if (!scenario.cleanup_failures.empty()) html += "<span class=\"odd\">cleanup failed</span>";
  absl::StrAppend(&html, "<span class=\"right\"><span class=\"file\">", Markup(scenario.file, kMostText), "</span>");
  if (scenario.end > scenario.start) absl::StrAppend(&html, " \xc2\xb7 ", DurationText(scenario.end - scenario.start));
  return html + "</span></summary>\n";
}

std::string Message(const ScenarioResult& scenario) {
  if (scenario.message.empty()) return "";
  if (!IsFailure(scenario.verdict)) return absl::StrCat("<p>", Markup(scenario.message, kMostMessage), "</p>\n");
  const std::string where =
      scenario.host.empty() ? "" : absl::StrCat("<p>On host <b>", Markup(scenario.host, 200), "</b>:</p>\n");
  return absl::StrCat(where, "<pre class=\"message\">", Markup(scenario.message, kMostMessage), "</pre>\n");
}

std::string Cleanup(const ScenarioResult& scenario) {
  if (scenario.cleanup_failures.empty()) return "";
  std::string html = "<h3>Cleanup that failed</h3>\n<ul>\n";
  const size_t shown = std::min(scenario.cleanup_failures.size(), kMostRows);
  for (size_t i = 0; i < shown; ++i) {
    absl::StrAppend(&html, "<li>", Markup(scenario.cleanup_failures[i], kMostText), "</li>\n");
  }
  return absl::StrCat(html, "</ul>\n", LeftOut(scenario.cleanup_failures.size() - shown, "failures are"));
}

std::string Sockets(const ScenarioResult& scenario) {
  if (scenario.sockets.empty()) return "";
  std::string rows;
  const size_t shown = std::min(scenario.sockets.size(), kMostRows);
  for (size_t i = 0; i < shown; ++i) {
    const SocketRow& row = scenario.sockets[i];
    absl::StrAppend(&rows, "<tr>", Cell(row.host), Cell(row.name, "mono"), Cell(row.kind), Cell(row.state),
                    Cell(row.local, "mono"), Cell(row.peer, "mono"), Cell(BytesText(row.bytes_sent), "number"),
                    Cell(BytesText(row.bytes_received), "number"), "</tr>\n");
  }
  return absl::StrCat("<h3>Sockets at the failure</h3>\n",
                      Table({"Host", "Socket", "Kind", "State", "Local", "Peer", "Sent", "Received"}, rows),
                      LeftOut(scenario.sockets.size() - shown, "sockets are"));
}

std::string Clocks(const ScenarioResult& scenario) {
  if (scenario.clocks.empty()) return "";
  std::vector<std::string> texts;
  for (const Clock& clock : scenario.clocks) {
    if (texts.size() < kMostRows) texts.push_back(Markup(ClockText(clock), kMostText));
  }
  return absl::StrCat("<p class=\"legend\">Times that hosts told are corrected: ", absl::StrJoin(texts, "; "),
                      ".</p>\n");
}

constexpr char kLegend[] =
    "<p class=\"legend\">Time runs down, not to scale: shaded stretches are longer than they look."
    "<i style=\"background:var(--does)\"></i>does<i style=\"background:var(--data)\"></i>moves data"
    "<i style=\"background:var(--waits)\"></i>waits<i style=\"background:var(--odd)\"></i>an error that was expected"
    "<i style=\"background:var(--bad)\"></i>failed<i class=\"square\"></i>when the host says that it happened. "
    "Arrows join what two hosts did on the two ends of a connection.</p>\n";

std::string Steps(const ScenarioResult& scenario) {
  if (scenario.events.empty()) return "";
  std::string rows;
  for (const size_t index : Choose(scenario.events, kMostEvents)) {
    const Event& event = scenario.events[index];
    const bool failed = IsFailure(event.verdict);
    const std::string mark = event.at_host.has_value() ? DurationText(*event.at_host - scenario.start) : "";
    absl::StrAppend(&rows, "<tr>", Cell(DurationText(event.start - scenario.start), "number"),
                    Cell(DurationText(event.end - event.start), "number"), Cell(mark, "number"),
                    Cell(HostWord(event.host)), Cell(event.branch), Cell(event.title, "mono"),
                    Cell(AddressText(event), "mono"), Cell(TrafficText(event)));
    absl::StrAppend(&rows, Cell(ErrnoText(event)), Cell(absl::StrCat(event.line, ":", event.column), "number"),
                    Cell(absl::StrCat(VerdictWord(event.verdict), event.message.empty() ? "" : ": ", event.message),
                         failed ? "bad" : ""),
                    "</tr>\n");
  }
  return absl::StrCat("<h3>Steps</h3>\n<details><summary>All of them as a table</summary>\n",
                      Table({"Start", "Took", "At host", "Host", "Branch", "Step", "Action", "Addresses", "Data",
                             "Errno", "Line", "Verdict"},
                            rows),
                      "</details>\n");
}

std::string TimelineOf(const ScenarioResult& scenario) {
  if (scenario.events.empty()) return "";
  const Diagram diagram = Draw(scenario, kMostEvents);
  return absl::StrCat("<h3>What the hosts did</h3>\n<div class=\"scroll diagram\">", diagram.heads, diagram.body,
                      "</div>\n", kLegend, LeftOut(diagram.left_out, "steps are"), Clocks(scenario));
}

}  // namespace

std::string Chip(Verdict verdict) {
  return absl::StrCat("<span class=\"chip ", Colour(verdict), "\">", VerdictWord(verdict), "</span>");
}

std::string ScenarioSection(const ScenarioResult& scenario, size_t index, bool full) {
  const bool failed = IsFailure(scenario.verdict);
  std::string html =
      absl::StrCat("<details id=\"s", index, "\" class=\"scenario", failed ? " failed\" open=\"open\">\n" : "\">\n",
                   Summary(scenario), "<div class=\"inside\">\n", Message(scenario), Cleanup(scenario));
  if (full) {
    absl::StrAppend(&html, TimelineOf(scenario), Sockets(scenario), Steps(scenario));
  } else if (!scenario.events.empty()) {
    html += "<p class=\"odd\">Its steps are left out: this page would be too large. The JSON report has them.</p>\n";
  }
  return html + "</div>\n</details>\n";
}

}  // namespace socketeer::report
