// What all reports say alike of a run.
#pragma once

#include <string>
#include <vector>

#include "client/report/result.h"

namespace socketeer::report {

struct Counts {
  int passed = 0;
  int failed = 0;  // all that neither passed nor were skipped
  int skipped = 0;
};

bool IsFailure(Verdict verdict);
// What to end with: interrupted, unreachable, usage, denied, failed, timed out, unexpected, passed, in this order.
Verdict Graver(Verdict one, Verdict other);
// The gravest of all scenarios; of none, and where all were skipped, kPassed.
Verdict Gravest(const RunResult& result);

Counts CountVerdicts(const RunResult& result);
// "3 scenarios: 1 passed, 1 failed, 1 skipped (2.5s)".
std::string SummaryLine(const RunResult& result);

// Its name, and what tells it from others of that name: "half-close [mtu=1500, repetition 2]".
std::string FullName(const ScenarioResult& scenario);
// "half-close.yaml:12:5".
std::string PlaceOf(const ScenarioResult& scenario, const Event& event);
// "recv client": what it does, and to which socket.
std::string ActionText(const Event& event);
// "ECONNREFUSED (111)"; "": none.
std::string ErrnoText(const Event& event);
// "12 B sent, 5 B received, end of stream"; "": nothing of it.
std::string TrafficText(const Event& event);
// "10.0.0.1:80 to 10.0.0.2:1234"; "": no address is known.
std::string AddressText(const Event& event);
// "b's clock is 2.003s ahead, ±400us"; "b's clock is unknown".
std::string ClockText(const Clock& clock);
// Host, or "runner".
std::string HostWord(const std::string& host);

// What a person needs of a failure, a line each: message, host, other steps that failed, cleanup, sockets.
std::vector<std::string> FailureLines(const ScenarioResult& scenario);

}  // namespace socketeer::report
