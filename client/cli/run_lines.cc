#include "client/cli/run_lines.h"

#include <array>
#include <cstdio>
#include <map>

#include "socketeer/text.h"

namespace socketeer::cli {
namespace {

std::string Seconds(absl::Duration time) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.3fs", absl::ToDoubleSeconds(time));
  return text.data();
}

// Lines behind the first are set off as far; what others wrote does no harm to a terminal.
std::string Indented(const std::string& text) {
  std::string shown;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    shown += "      " + Printable(text.substr(begin, end - begin)) + "\n";
    begin = end + 1;
  }
  return shown;
}

}  // namespace

std::string RunTitle(const report::ScenarioResult& result) {
  std::string title = Printable(result.name);
  std::string parameters;
  for (const auto& [name, value] : result.parameters) {
    parameters += (parameters.empty() ? "" : ", ") + name + "=" + Printable(value);
  }
  if (!parameters.empty()) title += " [" + parameters + "]";
  if (result.repetition > 1) title += " #" + std::to_string(result.repetition);
  return title;
}

void RunLines::OnEnd(size_t index, const report::ScenarioResult& result) {
  (void)index;
  const bool passed = result.verdict == report::Verdict::kPassed;
  std::string text =
      (passed ? "ok    " : "FAIL  ") + RunTitle(result) + " (" + Seconds(result.end - result.start) + ")\n";
  if (!passed) {
    text += Indented(std::string(report::VerdictWord(result.verdict)) + ": " + result.message);
    for (const report::SocketRow& row : result.sockets) {
      text += Indented(row.host + ": " + row.name + "  " + row.kind + "  " + row.state + "  " + OrDash(row.local) +
                       "  " + OrDash(row.peer));
    }
  }
  for (const std::string& line : result.cleanup_failures) text += Indented("cleanup: " + line);
  cli_.out().Bytes(text).IgnoreError();  // what it could not write, the summary cannot either
}

absl::Status RunLines::Summary(const report::RunResult& run) const {
  std::map<report::Verdict, int> counts;
  for (const report::ScenarioResult& each : run.scenarios) ++counts[each.verdict];
  std::string text;
  for (const auto& [verdict, count] : counts) {
    text += (text.empty() ? "" : ", ") + std::to_string(count) + " " + report::VerdictWord(verdict);
  }
  return cli_.out().Bytes(text + "\n");
}

}  // namespace socketeer::cli
