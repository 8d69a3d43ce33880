// TAP 14, https://testanything.org: a line for each scenario.
#pragma once

#include <string>

#include "client/report/result.h"

namespace socketeer::report {

// What a scenario was stands below its line, as YAML: where, how long, what failed.
std::string ToTap(const RunResult& result);

}  // namespace socketeer::report
