// A run for programs: docs/report.schema.json says what is where.
#pragma once

#include <string>

#include "client/report/result.h"

namespace socketeer::report {

// One document. Fields may come, none goes or changes its meaning while `format` stays 1.
std::string ToJson(const RunResult& result);

}  // namespace socketeer::report
