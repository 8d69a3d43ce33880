#include "tests/report/sample.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "absl/time/civil_time.h"

namespace socketeer::report {
namespace {

const Clock kClockOfA{.host = "a", .known = true, .offset = absl::Seconds(-3.5), .bound = absl::Microseconds(900)};
const Clock kClockOfB{.host = "b", .known = true, .offset = absl::Milliseconds(2003), .bound = absl::Microseconds(400)};

Event Between(Event event, std::string local, std::string peer) {
  event.local = std::move(local);
  event.peer = std::move(peer);
  return event;
}

Event Moved(Event event, uint64_t sent, uint64_t received) {
  event.bytes_sent = sent;
  event.bytes_received = received;
  return event;
}

Event In(std::string branch, Event event) {
  event.branch = std::move(branch);
  return event;
}

Event Error(Event event, std::string name, int number) {
  event.errno_name = std::move(name);
  event.errno_number = number;
  return event;
}

// As a runner does it: what the host's own clock showed, back on the runner's clock.
Event Told(Event event, const Clock& clock, absl::Time shown) {
  event.at_host = std::clamp(shown - clock.offset, event.start, event.end);
  return event;
}

std::vector<Event> HalfCloseSteps() {
  const std::string server = "10.0.0.1:40123";
  const std::string client = "10.0.0.2:53124";
  std::vector<Event> events;
  events.push_back(Step("", "run", "run uname -r", 0, 3.1));
  events.push_back(Told(Between(Step("a", "open", "open server tcp, listening", 4, 5.2), server, ""), kClockOfA,
                        At(4.7) + kClockOfA.offset));
  events.push_back(
      In("meeting", Told(Between(Step("a", "accept", "accept server as peer", 6.4, 1250.1), server, client), kClockOfA,
                         At(1248.4) + kClockOfA.offset)));  // early, within its clock's bound
  events.push_back(In("watching", Step("c", "wait", "wait for server: connected", 6.5, 1250.4)));
  events.push_back(
      Error(Between(Step("b", "open", "open closed tcp to port 1", 7, 8.2), "", "10.0.0.1:1"), "ECONNREFUSED", 111));
  events.push_back(In("meeting", Told(Between(Step("b", "open", "open client tcp", 1248, 1249.6), client, server),
                                      kClockOfB, At(1249.2) + kClockOfB.offset)));
  events.push_back(Moved(Between(Step("b", "send", "the greeting", 1251, 1251.4), client, server), 5, 0));
  events.push_back(
      Moved(Between(Step("a", "recv", "recv peer, 5 bytes at least", 1251.1, 1251.9), server, client), 0, 5));
  events.push_back(Between(Step("b", "shutdown", "shutdown client, write", 1252.2, 1252.6), client, server));
  events.push_back(Between(Step("a", "recv", "recv peer: the end", 1252.8, 1253.1), server, client));
  events.back().end_of_stream = true;
  events.push_back(In(
      "reply", Moved(Between(Step("a", "send", "send peer 64 KiB of zeros", 1254, 1256), server, client), 65536, 0)));
  events.push_back(In(
      "reply", Moved(Between(Step("b", "recv", "recv client, all of it", 1254.1, 1256.4), client, server), 0, 65536)));
  events.push_back(In("other", Moved(Between(Step("c", "send", "send beacon \"still here\"", 1254.5, 1254.9),
                                             "10.0.0.3:5353", "10.0.0.1:5353"),
                                     10, 0)));
  events.push_back(
      In("other",
         Moved(Between(Step("a", "recv", "recv beacon", 1254.6, 1255.7), "10.0.0.1:5353", "10.0.0.3:5353"), 0, 10)));
  events.push_back(Told(Between(Step("a", "close", "close peer, reset", 1257, 1257.4), server, client), kClockOfA,
                        At(1257.2) + kClockOfA.offset));
  events.push_back(
      Error(Between(Step("b", "recv", "recv client: the end", 1257.6, 1258.2), client, server), "ECONNRESET", 104));
  events.back().verdict = Verdict::kFailed;
  events.back().message =
      "receive: Connection reset by peer (ECONNRESET)\n  sockets/client: CONNECTED, local 10.0.0.2:53124, peer "
      "10.0.0.1:40123";
  events.push_back(Step("a", "close", "close server", 1260, 1260.5));
  events.back().cleanup = true;
  events.push_back(Step("c", "close", "close beacon", 1260.6, 1260.9));
  events.back().cleanup = true;
  events.back().verdict = Verdict::kFailed;
  events.back().message = "sockets/beacon: there is no such socket";
  int line = 8;
  for (Event& event : events) {
    event.line = line += 3;
    // "recv client, all of it" is about the socket client.
    const size_t begin = event.title.find(' ') + 1;
    if (!event.host.empty() && event.verb != "wait")
      event.socket = event.title.substr(begin, event.title.find_first_of(" ,:", begin) - begin);
    if (event.title == "the greeting") event.socket = "client";
    event.column = 5;
  }
  return events;
}

ScenarioResult Named(std::string name, std::string file, Verdict verdict) {
  ScenarioResult scenario;
  scenario.name = std::move(name);
  scenario.file = std::move(file);
  scenario.verdict = verdict;
  scenario.start = At(0);
  scenario.end = At(0);
  return scenario;
}

ScenarioResult Echo(const std::string& mtu) {
  ScenarioResult scenario = Named("UDP echo", "echo.yaml", Verdict::kPassed);
  scenario.tags = {"udp", "quick"};
  scenario.parameters = {{"mtu", mtu}, {"family", "ipv6"}};
  scenario.hosts = {"a", "b"};
  scenario.end = At(12);
  scenario.events.push_back(
      Moved(Between(Step("b", "send", "send ping", 2, 3), "[fd00::2]:4000", "[fd00::1]:7"), 512, 0));
  scenario.events.push_back(
      Moved(Between(Step("a", "recv", "recv echo", 1, 4), "[fd00::1]:7", "[fd00::2]:4000"), 0, 512));
  std::swap(scenario.events[0], scenario.events[1]);  // by start
  return scenario;
}

RunResult Several() {
  ScenarioResult skipped = Named("only where there is SCTP", "sctp.yaml", Verdict::kSkipped);
  skipped.message = "no tag of it was asked for";
  ScenarioResult unreachable = Named("far away", "far.yaml", Verdict::kUnreachable);
  unreachable.message = "far.yaml:4:9: host z: no daemon answers at 192.0.2.7:7625";
  unreachable.host = "z";
  unreachable.hosts = {"z"};
  ScenarioResult again = Echo("9000");
  again.repetition = 2;
  return RunOf({Echo("1500"), HalfClose(), skipped, unreachable, Echo("9000"), again});
}

}  // namespace

absl::Time At(double milliseconds) {
  return absl::FromCivil(absl::CivilSecond(2026, 1, 31, 12, 0, 0), absl::UTCTimeZone()) +
         absl::Milliseconds(milliseconds);
}

Event Step(std::string host, std::string verb, std::string title, double start, double end) {
  Event event;
  event.host = std::move(host);
  event.verb = std::move(verb);
  event.title = std::move(title);
  event.line = 1;
  event.column = 5;
  event.start = At(start);
  event.end = At(end);
  return event;
}

ScenarioResult HalfClose() {
  ScenarioResult scenario = Named("TCP half-close", "half-close.yaml", Verdict::kFailed);
  scenario.tags = {"tcp"};
  scenario.hosts = {"a", "b", "c"};
  scenario.events = HalfCloseSteps();
  scenario.message =
      "half-close.yaml:56:5: receive: Connection reset by peer (ECONNRESET)\n  sockets/client: CONNECTED, local "
      "10.0.0.2:53124, peer 10.0.0.1:40123";
  scenario.host = "b";
  scenario.end = At(1262);
  scenario.clocks = {kClockOfA, kClockOfB, {.host = "c"}};
  scenario.sockets = {{"a", "server", "tcp4", "LISTENING", "10.0.0.1:40123", "", 0, 0},
                      {"b", "client", "tcp4", "CONNECTED", "10.0.0.2:53124", "10.0.0.1:40123", 5, 65536},
                      {"c", "beacon", "udp4", "BOUND", "10.0.0.3:5353", "", 10, 0}};
  scenario.cleanup_failures = {"half-close.yaml:62:5: c: close beacon: sockets/beacon: there is no such socket"};
  return scenario;
}

ScenarioResult Hostile() {
  // What ends a script, CDATA, a comment and an attribute; control bytes; half a character; what turns text; no
  // character.
  const std::string evil =
      "</script><script>document.title='owned'</script>]]>--><img src=x onerror=alert(1)>\"'& \x1b[31m\x01 \xff\xfe "
      "\xe2\x80\xae turned \\x41 # TO"
      "DO"
      "\n...\nnot ok 9 - forged\n  ---";
  const std::string quiet = "\xef\xbf\xbf & \xe2\x80\xae<b>\"\xc2\x9b";  // UTF-8
  ScenarioResult scenario = Named(evil, "<evil>\"&'.yaml", Verdict::kUnexpected);
  scenario.tags = {evil, quiet};
  scenario.parameters = {{evil, quiet}, {quiet, evil}};
  scenario.message = evil;
  scenario.host = evil;
  scenario.hosts = {evil, quiet};
  scenario.clocks = {{.host = evil}, {.host = quiet, .known = true}};
  scenario.end = At(5);
  for (const std::string& host : scenario.hosts) {
    Event event = Between(Step(host, evil, evil, 1, 2), evil, quiet);
    event.branch = quiet;
    event.verdict = Verdict::kUnexpected;
    event.message = evil;
    event.socket = evil;
    event.errno_name = quiet;
    scenario.events.push_back(event);
  }
  scenario.sockets = {{evil, quiet, evil, quiet, evil, quiet, 1, 2}};
  scenario.cleanup_failures = {evil, quiet};
  return scenario;
}

ScenarioResult Large(size_t steps) {
  ScenarioResult scenario = Named("a long one", "long.yaml", Verdict::kTimedOut);
  scenario.hosts = {"a", "b"};
  scenario.end = At(static_cast<double>(steps) * 3);
  for (size_t i = 0; i < steps; ++i) {
    const bool first = i % 2 == 0;
    const double start = static_cast<double>(i) * 3;
    scenario.events.push_back(
        Moved(Between(Step(first ? "a" : "b", first ? "send" : "recv", "step " + std::to_string(i), start, start + 2),
                      first ? "10.0.0.1:1000" : "10.0.0.2:2000", first ? "10.0.0.2:2000" : "10.0.0.1:1000"),
              first ? 100 : 0, first ? 0 : 100));
  }
  scenario.events.back().verdict = Verdict::kTimedOut;
  scenario.events.back().message = "it was not done within 10s";
  scenario.message = "long.yaml:9:5: it was not done within 10s";
  scenario.host = "b";
  return scenario;
}

RunResult RunOf(std::vector<ScenarioResult> scenarios) {
  RunResult result;
  result.version = "0.1.0";
  result.start = At(0);
  result.end = At(0);
  for (const ScenarioResult& scenario : scenarios) result.end = std::max(result.end, scenario.end);
  result.scenarios = std::move(scenarios);
  return result;
}

RunResult SampleRun(std::string_view name) {
  if (name == "half-close") return RunOf({HalfClose()});
  if (name == "hostile") return RunOf({Hostile()});
  if (name == "large") return RunOf({Large(1000)});
  if (name == "none") return RunOf({});
  if (name != "several") std::abort();
  RunResult result = Several();
  result.seed = 42;
  return result;
}

}  // namespace socketeer::report
