#include "client/report/write.h"

#include <array>
#include <set>

#include "absl/strings/str_cat.h"
#include "client/report/file.h"
#include "client/report/html.h"
#include "client/report/json.h"
#include "client/report/junit.h"
#include "client/report/tap.h"
#include "client/report/text.h"

namespace socketeer::report {
namespace {

struct Form {
  std::string ReportFiles::*path;
  std::string (*make)(const RunResult&);
};

constexpr std::array<Form, 4> kForms = {{
    {&ReportFiles::junit, ToJunit},
    {&ReportFiles::json, ToJson},
    {&ReportFiles::tap, ToTap},
    {&ReportFiles::html, ToHtml},
}};

}  // namespace

absl::Status CheckReports(const ReportFiles& files) {
  std::set<std::string> paths;
  for (const Form& form : kForms) {
    const std::string& path = files.*form.path;
    if (path.empty()) continue;
    if (!paths.insert(path).second) {
      return absl::InvalidArgumentError(
          absl::StrCat(path == "-" ? "standard output" : OneLine(path), " can hold one report, not two"));
    }
    if (const absl::Status writable = CheckWritable(path); !writable.ok()) return writable;
  }
  return absl::OkStatus();
}

absl::Status WriteReports(const RunResult& result, const ReportFiles& files) {
  std::string failures;
  for (const Form& form : kForms) {
    const std::string& path = files.*form.path;
    if (path.empty()) continue;
    const absl::Status written = WriteReport(path, form.make(result));
    if (!written.ok()) absl::StrAppend(&failures, failures.empty() ? "" : "\n", written.message());
  }
  return failures.empty() ? absl::OkStatus() : absl::DataLossError(failures);
}

}  // namespace socketeer::report
