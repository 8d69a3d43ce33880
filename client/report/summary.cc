#include "client/report/summary.h"

#include <algorithm>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "client/report/text.h"

namespace socketeer::report {
namespace {

constexpr size_t kMostLines = 100;

void Add(const std::string& more, std::string* text) {
  if (more.empty()) return;
  if (!text->empty()) *text += ", ";
  *text += more;
}

std::string Counted(int count, const char* word) { return count == 0 ? "" : absl::StrCat(count, " ", word); }

// To the millisecond, which is what clocks are known to.
std::string Fine(absl::Duration duration) {
  if (duration < absl::Seconds(1)) return DurationText(duration);
  const int64_t milliseconds = absl::ToInt64Milliseconds(duration + absl::Microseconds(500));
  const std::string rest = std::to_string(1000 + milliseconds % 1000).substr(1);
  return absl::StrCat(milliseconds / 1000, ".", rest, "s");
}

std::string SocketLine(const SocketRow& row) {
  std::string line = absl::StrCat("socket ", row.host, " ", row.name, ": ", row.kind, " ", row.state);
  if (!row.local.empty()) absl::StrAppend(&line, ", local ", row.local);
  if (!row.peer.empty()) absl::StrAppend(&line, ", peer ", row.peer);
  return absl::StrCat(line, ", ", BytesText(row.bytes_sent), " sent, ", BytesText(row.bytes_received), " received");
}

}  // namespace

const char* VerdictWord(Verdict verdict) {
  switch (verdict) {
    case Verdict::kPassed:
      return "passed";
    case Verdict::kSkipped:
      return "skipped";
    case Verdict::kUsage:
      return "usage";
    case Verdict::kUnreachable:
      return "unreachable";
    case Verdict::kFailed:
      return "failed";
    case Verdict::kUnexpected:
      return "unexpected";
    case Verdict::kDenied:
      return "denied";
    case Verdict::kTimedOut:
      return "timed out";
    case Verdict::kInterrupted:
      return "interrupted";
  }
  return "failed";
}

bool IsFailure(Verdict verdict) { return verdict != Verdict::kPassed && verdict != Verdict::kSkipped; }

Verdict Graver(Verdict one, Verdict other) {
  constexpr Verdict kByGravity[] = {Verdict::kInterrupted, Verdict::kUnreachable, Verdict::kUsage,     Verdict::kDenied,
                                    Verdict::kFailed,      Verdict::kTimedOut,    Verdict::kUnexpected};
  const auto* const gravest = std::find_if(std::begin(kByGravity), std::end(kByGravity),
                                           [&](Verdict verdict) { return one == verdict || other == verdict; });
  return gravest == std::end(kByGravity) ? Verdict::kPassed : *gravest;
}

Verdict Gravest(const RunResult& result) {
  Verdict gravest = Verdict::kPassed;
  for (const ScenarioResult& scenario : result.scenarios) gravest = Graver(gravest, scenario.verdict);
  return gravest;
}

Counts CountVerdicts(const RunResult& result) {
  Counts counts;
  for (const ScenarioResult& scenario : result.scenarios) {
    if (scenario.verdict == Verdict::kPassed) ++counts.passed;
    if (scenario.verdict == Verdict::kSkipped) ++counts.skipped;
    if (IsFailure(scenario.verdict)) ++counts.failed;
  }
  return counts;
}

std::string SummaryLine(const RunResult& result) {
  const Counts counts = CountVerdicts(result);
  std::string parts;
  Add(Counted(counts.passed, "passed"), &parts);
  Add(Counted(counts.failed, "failed"), &parts);
  Add(Counted(counts.skipped, "skipped"), &parts);
  if (parts.empty()) return "no scenario ran";
  return absl::StrCat(result.scenarios.size(), result.scenarios.size() == 1 ? " scenario: " : " scenarios: ", parts,
                      " (", DurationText(result.end - result.start), ")");
}

std::string FullName(const ScenarioResult& scenario) {
  std::string name = scenario.name;
  std::string parameters;
  for (const auto& [parameter, value] : scenario.parameters) Add(absl::StrCat(parameter, "=", value), &parameters);
  if (scenario.repetition > 1) Add(absl::StrCat("repetition ", scenario.repetition), &parameters);
  if (!parameters.empty()) absl::StrAppend(&name, " [", parameters, "]");
  return name;
}

std::string PlaceOf(const ScenarioResult& scenario, const Event& event) {
  return event.line == 0 ? scenario.file : absl::StrCat(scenario.file, ":", event.line, ":", event.column);
}

std::string ActionText(const Event& event) {
  return event.socket.empty() ? event.verb : absl::StrCat(event.verb, " ", event.socket);
}

std::string ErrnoText(const Event& event) {
  if (event.errno_name.empty() || event.errno_number == 0) return event.errno_name;
  return absl::StrCat(event.errno_name, " (", event.errno_number, ")");
}

std::string TrafficText(const Event& event) {
  std::string text;
  if (event.bytes_sent > 0) Add(BytesText(event.bytes_sent) + " sent", &text);
  if (event.bytes_received > 0) Add(BytesText(event.bytes_received) + " received", &text);
  if (event.end_of_stream) Add("end of stream", &text);
  return text;
}

std::string AddressText(const Event& event) {
  if (event.peer.empty()) return event.local;
  return event.local.empty() ? "to " + event.peer : event.local + " to " + event.peer;
}

std::string HostWord(const std::string& host) { return host.empty() ? "runner" : host; }

std::string ClockText(const Clock& clock) {
  if (!clock.known) return clock.host + "'s clock is unknown";
  const bool ahead = clock.offset >= absl::ZeroDuration();
  const absl::Duration offset = absl::AbsDuration(clock.offset);
  // A difference as small as what is not known of it is none that one could tell.
  const std::string how = offset <= clock.bound ? "agrees" : "is " + Fine(offset) + (ahead ? " ahead" : " behind");
  return absl::StrCat(clock.host, "'s clock ", how, ", \xc2\xb1", DurationText(clock.bound));
}

std::vector<std::string> FailureLines(const ScenarioResult& scenario) {
  std::vector<std::string> lines;
  if (!scenario.message.empty()) lines.push_back(scenario.message);
  if (!scenario.host.empty()) lines.push_back("host: " + scenario.host);
  for (const Event& event : scenario.events) {
    // Said above, or below.
    const bool known = !event.message.empty() && scenario.message.find(event.message) != std::string::npos;
    if (!IsFailure(event.verdict) || known || event.cleanup || lines.size() > kMostLines) continue;
    std::string line = absl::StrCat(PlaceOf(scenario, event), ": ", HostWord(event.host), ": ", event.title, ": ",
                                    VerdictWord(event.verdict), " after ", DurationText(event.end - event.start));
    if (!event.message.empty()) absl::StrAppend(&line, ": ", event.message);
    lines.push_back(line);
  }
  for (const std::string& failure : scenario.cleanup_failures) lines.push_back("cleanup: " + failure);
  for (const SocketRow& row : scenario.sockets) lines.push_back(SocketLine(row));
  if (lines.size() > kMostLines) {
    const size_t more = lines.size() - kMostLines;
    lines.resize(kMostLines);
    lines.push_back(absl::StrCat(more, " lines more are left out"));
  }
  return lines;
}

}  // namespace socketeer::report
