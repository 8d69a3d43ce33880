// Writing a report where a person wants it.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace socketeer::report {

// Whole or not at all: who reads `path` meanwhile sees what was there before. What is no file (a pipe, /dev/stderr) is
// written as it is; "-" is standard output. DATA_LOSS: "PATH cannot be written: No such file or directory (ENOENT)".
absl::Status WriteReport(const std::string& path, std::string_view text);
// The same of what can be told beforehand, without writing anything: a folder that is not there, or that others own.
absl::Status CheckWritable(const std::string& path);

}  // namespace socketeer::report
