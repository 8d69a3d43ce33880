#include "client/report/tap.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "client/report/summary.h"
#include "client/report/text.h"

namespace socketeer::report {
namespace {

constexpr size_t kMostMessage = 16 << 10;

// A "#" would begin a directive.
std::string Description(const std::string& text) {
  return absl::StrReplaceAll(OneLine(text), {{"\\", "\\\\"}, {"#", "\\#"}});
}

// A word of YAML that every reader of TAP takes: in quotation marks, on one line. (Lists are not: Perl's reader finds
// keys in texts with a colon.)
std::string Scalar(const std::string& text) {
  return "\"" + absl::StrReplaceAll(Legible(text, kMostMessage), {{"\\", "\\\\"}, {"\"", "\\\""}, {"\n", "\\n"}}) +
         "\"";
}

void Put(const char* name, const std::string& text, std::string* yaml) {
  if (!text.empty()) absl::StrAppend(yaml, "  ", name, ": ", Scalar(text), "\n");
}

std::string Diagnostics(const ScenarioResult& scenario) {
  std::string yaml = "  ---\n";
  Put("file", scenario.file, &yaml);
  absl::StrAppend(&yaml, "  duration_ms: ", absl::ToInt64Milliseconds(scenario.end - scenario.start), "\n");
  Put("tags", absl::StrJoin(scenario.tags, ", "), &yaml);
  if (IsFailure(scenario.verdict)) {
    Put("severity", "fail", &yaml);
    Put("verdict", VerdictWord(scenario.verdict), &yaml);
    Put("message", scenario.message, &yaml);
    Put("host", scenario.host, &yaml);
    Put("details", absl::StrJoin(FailureLines(scenario), "\n"), &yaml);
  } else {
    Put("cleanup_failures", absl::StrJoin(scenario.cleanup_failures, "\n"), &yaml);
  }
  return yaml + "  ...\n";
}

}  // namespace

std::string ToTap(const RunResult& result) {
  std::string tap = absl::StrCat("TAP version 14\n1..", result.scenarios.size(),
                                 result.scenarios.empty() ? " # SKIP no scenario ran\n" : "\n");
  int number = 0;
  for (const ScenarioResult& scenario : result.scenarios) {
    absl::StrAppend(&tap, IsFailure(scenario.verdict) ? "not ok " : "ok ", ++number, " - ",
                    Description(FullName(scenario)));
    if (scenario.verdict == Verdict::kSkipped) {
      absl::StrAppend(&tap, " # SKIP ", Description(scenario.message), "\n");
    } else {
      absl::StrAppend(&tap, "\n", Diagnostics(scenario));
    }
  }
  return tap;
}

}  // namespace socketeer::report
