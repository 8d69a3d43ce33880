#include "client/cli/fleet.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "socketeer/error.h"
#include "socketeer/status_macros.h"
#include "socketeer/text.h"

namespace socketeer::cli {
namespace {

using FleetAnswers = std::vector<absl::StatusOr<HostAnswer>>;

std::vector<absl::Status> ErrorsOf(const absl::StatusOr<HostAnswer>& answer) {
  return answer.ok() ? answer->errors : std::vector<absl::Status>{answer.status()};
}

std::string FleetJson(const FleetQuestion& question, const Fleet& fleet, const FleetAnswers& answers) {
  std::vector<std::string> hosts;
  for (size_t i = 0; i < answers.size(); ++i) {
    hosts.push_back("{\"name\":" + ToJson(fleet.hosts()[i].name) + ",\"" + question.member +
                    "\":" + (answers[i].ok() ? answers[i]->json : "null") +
                    ",\"errors\":" + ToJson(ErrorsDocument(ErrorsOf(answers[i]))) + "}");
  }
  return "{" + question.all_json + "\"hosts\":" + JsonList(hosts) + "}";
}

std::string FleetTable(const FleetQuestion& question, const Fleet& fleet, const FleetAnswers& answers) {
  std::vector<std::vector<std::string>> rows;
  if (question.header) {
    rows.push_back({"HOST"});
    rows[0].insert(rows[0].end(), question.columns.begin(), question.columns.end());
  }
  for (size_t i = 0; i < answers.size(); ++i) {
    if (!answers[i].ok()) continue;
    for (const std::vector<std::string>& row : answers[i]->rows) {
      rows.push_back({fleet.hosts()[i].name});
      rows.back().insert(rows.back().end(), row.begin(), row.end());
    }
  }
  return FormatTable(rows);
}

std::string FleetText(const FleetAnswers& answers) {
  std::string text;
  for (const absl::StatusOr<HostAnswer>& answer : answers) {
    if (answer.ok() && !answer->text.empty()) text += (text.empty() ? "" : "\n") + answer->text;
  }
  return text;
}

std::string FleetNames(const Fleet& fleet, const FleetAnswers& answers) {
  std::string text;
  for (size_t i = 0; i < answers.size(); ++i) {
    if (!answers[i].ok()) continue;
    for (const std::string& name : answers[i]->names) text += fleet.hosts()[i].name + " " + name + "\n";
  }
  return text;
}

absl::Status Print(const Output& out, const FleetQuestion& question, const Fleet& fleet, const FleetAnswers& answers) {
  if (out.IsStructured()) return out.Json(FleetJson(question, fleet, answers));
  if (out.format() == Format::kName) return out.Bytes(FleetNames(fleet, answers));
  return out.Bytes(question.all_text +
                   (question.columns.empty() ? FleetText(answers) : FleetTable(question, fleet, answers)));
}

}  // namespace

absl::Status AndAlso(const absl::Status& error, std::string_view what, size_t count) {
  return absl::Status(error.code(), absl::StrCat(absl::string_view(error.message()), "; ",
                                                 absl::string_view(what.data(), what.size()), ": ", count));
}

absl::Status AskFleet(Cli& cli, const FleetQuestion& question) {
  if (!question.prints_names) SOCKETEER_RETURN_IF_ERROR(cli.out().RefuseName());
  SOCKETEER_RETURN_IF_ERROR(cli.CheckSession(question.in_session));
  SOCKETEER_ASSIGN_OR_RETURN(std::vector<HostEntry> hosts, cli.FleetHosts({}));
  const Fleet fleet(std::move(hosts), [&cli](const HostEntry& entry) { return cli.DaemonOf(entry); },
                    {.keep_connections = false});
  const FleetAnswers answers = fleet.ForEach(
      [&](const HostEntry& entry, const Host& daemon, const CallOptions& calls) -> absl::StatusOr<HostAnswer> {
        if (!question.in_session) return question.ask(entry, daemon, calls);
        SOCKETEER_ASSIGN_OR_RETURN(const Host host, cli.InSession(daemon));
        return question.ask(entry, host, calls);
      },
      cli.Calls());
  const absl::Status printed = Print(cli.out(), question, fleet, answers);
  for (size_t i = 0; i < answers.size(); ++i) {
    for (const absl::Status& error : ErrorsOf(answers[i])) cli.ReportOf(fleet.hosts()[i].name, error);
  }
  return printed;
}

std::string ToJson(const Document& document) {
  return WithTurnsEscaped(document.dump(-1, ' ', false, Document::error_handler_t::replace));
}

std::string JsonList(const std::vector<std::string>& elements) {
  std::string list;
  for (const std::string& element : elements) list += (list.empty() ? "" : ",") + element;
  return "[" + list + "]";
}

Document ErrorsDocument(const std::vector<absl::Status>& errors) {
  Document list = Document::array();
  for (const absl::Status& error : errors) {
    if (error.ok()) continue;
    list.push_back({{"code", absl::StatusCodeToString(error.code())},
                    {"reason", ReasonOf(error)},
                    {"message", FormatError(error)}});
  }
  return list;
}

}  // namespace socketeer::cli
