// All reports that a person asks for at once.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "client/report/result.h"

namespace socketeer::report {

// Paths; "-" is standard output, "": none of this form.
struct ReportFiles {
  std::string junit{};
  std::string json{};
  std::string tap{};
  std::string html{};
};

// Before a run that takes long: two reports on one path are INVALID_ARGUMENT, what cannot be written is DATA_LOSS.
absl::Status CheckReports(const ReportFiles& files);
// Writes each of them, whatever becomes of the others. DATA_LOSS: those that could not be written, a line each.
absl::Status WriteReports(const RunResult& result, const ReportFiles& files);

}  // namespace socketeer::report
