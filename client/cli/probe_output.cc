#include "client/cli/probe_output.h"

#include "client/cli/fleet.h"
#include "client/cli/output.h"
#include "google/protobuf/util/time_util.h"
#include "socketeer/endpoint.h"
#include "socketeer/text.h"

namespace socketeer::cli {
namespace {

using Rows = std::vector<std::vector<std::string>>;

const char* ProtocolWord(const ProbeCell& cell) {
  if (cell.address.has_unix_domain()) return "unix";
  return cell.protocol == probe::Protocol::kTcp ? "tcp" : "udp";
}

// "open"; "dropped, not open".
std::string Found(const ProbeCell& cell, const probe::Answer& answer) {
  const std::string found(probe::ReasonWord(answer.reason));
  return IsAsExpected(cell, answer) ? found : found + ", not " + probe::ExpectedText(cell.expected);
}

std::string TookText(const probe::Answer& answer) {
  if (answer.took == absl::ZeroDuration()) return "-";
  return absl::FormatDuration(absl::Floor(answer.took, absl::Microseconds(answer.took < absl::Seconds(1) ? 1 : 1000)));
}

std::vector<std::string> Header() { return {"FROM", "TO", "PROTOCOL", "FOUND", "TOOK", "WHY"}; }

std::vector<std::string> Row(const ProbeCell& cell, const probe::Answer& answer) {
  return {cell.from,           ToText(cell),     ProtocolWord(cell),
          Found(cell, answer), TookText(answer), OrDash(Printable(answer.detail))};
}

}  // namespace

bool IsAsExpected(const ProbeCell& cell, const probe::Answer& answer) { return cell.expected.count(answer.reason) > 0; }

size_t CountWrong(const ProbePlan& plan, const ProbeAnswers& answers) {
  size_t wrong = 0;
  for (size_t i = 0; i < answers.size(); ++i) wrong += IsAsExpected(plan.cells[i], answers[i]) ? 0 : 1;
  return wrong;
}

std::string ProbeTable(const ProbePlan& plan, const ProbeAnswers& answers) {
  Rows rows = {Header()};
  for (size_t i = 0; i < answers.size(); ++i) rows.push_back(Row(plan.cells[i], answers[i]));
  return FormatTable(rows);
}

std::string MatrixTable(const ProbePlan& plan, const probe::Matrix& matrix, const ProbeAnswers& answers) {
  std::string text;
  Rows wrong = {Header()};
  size_t index = 0;
  for (const probe::Port& port : matrix.ports) {
    Rows grid = {{probe::PortText(port)}};
    grid[0].insert(grid[0].end(), matrix.to.begin(), matrix.to.end());
    for (const std::string& from : matrix.from) {
      grid.push_back({from});
      for (const std::string& to : matrix.to) {
        if (from == to) {
          grid.back().push_back("-");
          continue;
        }
        const ProbeCell& cell = plan.cells[index];
        const probe::Answer& answer = answers[index++];
        grid.back().push_back(Found(cell, answer));
        if (!IsAsExpected(cell, answer)) wrong.push_back(Row(cell, answer));
      }
    }
    text += FormatTable(grid) + "\n";
  }
  if (wrong.size() > 1) text += FormatTable(wrong) + "\n";
  const std::string all = std::to_string(answers.size());
  return text + (wrong.size() == 1 ? "all " + all + " are as expected\n"
                                   : std::to_string(wrong.size() - 1) + " of " + all + " not as expected\n");
}

std::string ProbeJson(const ProbePlan& plan, const ProbeAnswers& answers) {
  using google::protobuf::util::TimeUtil;
  Document cells = Document::array();
  for (size_t i = 0; i < answers.size(); ++i) {
    const ProbeCell& cell = plan.cells[i];
    const probe::Answer& answer = answers[i];
    Document expected = Document::array();
    for (const probe::Reason reason : cell.expected) expected.push_back(std::string(probe::ReasonWord(reason)));
    Document port = nullptr;
    if (cell.port.has_value()) port = *cell.port;
    cells.push_back(
        {{"from", cell.from},
         {"to", cell.to},
         {"port", port},
         {"protocol", ProtocolWord(cell)},
         {"address", FormatEndpoint(cell.address)},
         {"expected", expected},
         {"found", std::string(probe::ReasonWord(answer.reason))},
         {"as_expected", IsAsExpected(cell, answer)},
         {"error", answer.error},
         {"errno", answer.errno_number},
         {"detail", answer.detail},
         {"took", TimeUtil::ToString(TimeUtil::MicrosecondsToDuration(absl::ToInt64Microseconds(answer.took)))}});
  }
  return ToJson(Document{{"cells", cells}, {"wrong", CountWrong(plan, answers)}});
}

report::RunResult ProbeResult(const ProbePlan& plan, const ProbeAnswers& answers, const std::string& file,
                              absl::Time start, absl::Time end) {
  report::RunResult result{.version = SOCKETEER_VERSION, .start = start, .end = end};
  for (size_t i = 0; i < answers.size(); ++i) {
    const ProbeCell& cell = plan.cells[i];
    const probe::Answer& answer = answers[i];
    report::ScenarioResult each{.name = cell.from + " -> " + ToText(cell) + " " + ProtocolWord(cell),
                                .file = file,
                                .start = start,
                                .end = start + answer.took,
                                .hosts = {cell.from, cell.to}};
    if (!IsAsExpected(cell, answer)) {
      each.verdict =
          answer.reason == probe::Reason::kNoDaemon ? report::Verdict::kUnreachable : report::Verdict::kUnexpected;
      each.message = Found(cell, answer) + (answer.detail.empty() ? "" : ": " + answer.detail);
      each.host = cell.from;
    }
    result.scenarios.push_back(std::move(each));
  }
  return result;
}

}  // namespace socketeer::cli
