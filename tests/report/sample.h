// Runs that never were, as a runner would have recorded them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "client/report/result.h"

namespace socketeer::report {

// Three hosts, one of them with a clock 2.003 s ahead and one 3.5 s behind: a connection that is closed one way, and
// reset where its end should have come.
ScenarioResult HalfClose();
// Names and data of somebody who would like to write into our reports.
ScenarioResult Hostile();
// So many steps on two hosts, the last of them failed.
ScenarioResult Large(size_t steps);

RunResult RunOf(std::vector<ScenarioResult> scenarios);
// By its name: "half-close", "several" (with passed, skipped and unreachable ones), "hostile", "large" or "none".
RunResult SampleRun(std::string_view name);

// `milliseconds` after the sample's beginning.
absl::Time At(double milliseconds);
// From `start` to `end`, in milliseconds.
Event Step(std::string host, std::string verb, std::string title, double start, double end);

}  // namespace socketeer::report
