// What `socketeer probe` found, for each format.
#pragma once

#include <string>
#include <vector>

#include "client/cli/probe_plan.h"
#include "client/report/result.h"

namespace socketeer::cli {

using ProbeAnswers = std::vector<probe::Answer>;

bool IsAsExpected(const ProbeCell& cell, const probe::Answer& answer);
// How many are not.
size_t CountWrong(const ProbePlan& plan, const ProbeAnswers& answers);

// A row for each cell.
std::string ProbeTable(const ProbePlan& plan, const ProbeAnswers& answers);
// From the left, to above, a table for each port; then a row for each that is not as expected, and how many they are.
std::string MatrixTable(const ProbePlan& plan, const probe::Matrix& matrix, const ProbeAnswers& answers);
std::string ProbeJson(const ProbePlan& plan, const ProbeAnswers& answers);
// For reports: each cell as a scenario of `file`.
report::RunResult ProbeResult(const ProbePlan& plan, const ProbeAnswers& answers, const std::string& file,
                              absl::Time start, absl::Time end);

}  // namespace socketeer::cli
