// A scenario's part of the page.
#pragma once

#include <cstddef>
#include <string>

#include "client/report/result.h"

namespace socketeer::report {

// Open when it failed. `index` makes its address, "#s3"; `full`: with its steps.
std::string ScenarioSection(const ScenarioResult& scenario, size_t index, bool full);
// The verdict as a word in colour.
std::string Chip(Verdict verdict);

}  // namespace socketeer::report
