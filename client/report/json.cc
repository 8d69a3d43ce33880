#include "client/report/json.h"

#include "client/report/summary.h"
#include "client/report/text.h"
#include "nlohmann/json.hpp"
#include "socketeer/text.h"

namespace socketeer::report {
namespace {

using Json = nlohmann::ordered_json;

// Text as it is; what JSON has no strings for, byte by byte.
std::string Exact(const std::string& text) { return IsUtf8(text) ? text : Printable(text); }

Json Texts(const std::vector<std::string>& texts) {
  Json list = Json::array();
  for (const std::string& text : texts) list.push_back(Exact(text));
  return list;
}

// An empty text is told by its absence, so that nobody asks what "" means.
void Put(const char* name, const std::string& text, Json* object) {
  if (!text.empty()) (*object)[name] = Exact(text);
}

void PutTraffic(const std::string& local, const std::string& peer, uint64_t sent, uint64_t received, Json* object) {
  Put("local", local, object);
  Put("peer", peer, object);
  (*object)["bytes_sent"] = sent;
  (*object)["bytes_received"] = received;
}

Json OfEvent(const Event& event) {
  Json json;
  Put("host", event.host, &json);
  Put("branch", event.branch, &json);
  json["verb"] = Exact(event.verb);
  json["title"] = Exact(event.title);
  json["line"] = event.line;
  json["column"] = event.column;
  json["attempt"] = event.attempt;
  json["cleanup"] = event.cleanup;
  json["verdict"] = VerdictWord(event.verdict);
  Put("message", event.message, &json);
  json["start"] = TimeText(event.start);
  json["end"] = TimeText(event.end);
  json["seconds"] = absl::ToDoubleSeconds(event.end - event.start);
  if (event.at_host.has_value()) json["at_host"] = TimeText(*event.at_host);
  Put("socket", event.socket, &json);
  PutTraffic(event.local, event.peer, event.bytes_sent, event.bytes_received, &json);
  json["end_of_stream"] = event.end_of_stream;
  Put("errno", event.errno_name, &json);
  if (event.errno_number != 0) json["errno_number"] = event.errno_number;
  return json;
}

Json OfClock(const Clock& clock) {
  Json json = {{"host", Exact(clock.host)}, {"known", clock.known}};
  if (!clock.known) return json;
  json["offset_seconds"] = absl::ToDoubleSeconds(clock.offset);
  json["bound_seconds"] = absl::ToDoubleSeconds(clock.bound);
  return json;
}

Json OfSocket(const SocketRow& row) {
  Json json = {
      {"host", Exact(row.host)}, {"name", Exact(row.name)}, {"kind", Exact(row.kind)}, {"state", Exact(row.state)}};
  PutTraffic(row.local, row.peer, row.bytes_sent, row.bytes_received, &json);
  return json;
}

template <typename Row>
Json List(const std::vector<Row>& rows, Json (*of)(const Row&)) {
  Json list = Json::array();
  for (const Row& row : rows) list.push_back(of(row));
  return list;
}

Json OfScenario(const ScenarioResult& scenario) {
  Json json;
  json["name"] = Exact(scenario.name);
  json["file"] = Exact(scenario.file);
  json["tags"] = Texts(scenario.tags);
  json["parameters"] = Json::object();
  for (const auto& [name, value] : scenario.parameters) json["parameters"][Exact(name)] = Exact(value);
  json["repetition"] = scenario.repetition;
  json["verdict"] = VerdictWord(scenario.verdict);
  Put("message", scenario.message, &json);
  Put("host", scenario.host, &json);
  if (scenario.verdict != Verdict::kSkipped) {
    json["start"] = TimeText(scenario.start);
    json["end"] = TimeText(scenario.end);
    json["seconds"] = absl::ToDoubleSeconds(scenario.end - scenario.start);
  }
  json["hosts"] = Texts(scenario.hosts);
  json["clocks"] = List(scenario.clocks, OfClock);
  json["events"] = List(scenario.events, OfEvent);
  json["sockets"] = List(scenario.sockets, OfSocket);
  json["cleanup_failures"] = Texts(scenario.cleanup_failures);
  return json;
}

}  // namespace

std::string ToJson(const RunResult& result) {
  const Counts counts = CountVerdicts(result);
  Json json;
  json["format"] = 1;
  json["version"] = Exact(result.version);
  json["verdict"] = VerdictWord(Gravest(result));
  json["start"] = TimeText(result.start);
  json["end"] = TimeText(result.end);
  json["seconds"] = absl::ToDoubleSeconds(result.end - result.start);
  if (result.seed.has_value()) json["seed"] = *result.seed;
  json["counts"] = {{"passed", counts.passed}, {"failed", counts.failed}, {"skipped", counts.skipped}};
  json["scenarios"] = List(result.scenarios, OfScenario);
  return WithTurnsEscaped(json.dump(2)) + "\n";
}

}  // namespace socketeer::report
