// make_reports SAMPLE JUNIT JSON TAP HTML: writes the reports of a sample to these paths; "" is none.
#include <cstdio>

#include "client/report/summary.h"
#include "client/report/write.h"
#include "tests/report/sample.h"

int main(int argc, char** argv) {
  using namespace socketeer::report;
  if (argc != 6) return 64;
  const absl::Status written =
      WriteReports(SampleRun(argv[1]), {.junit = argv[2], .json = argv[3], .tap = argv[4], .html = argv[5]});
  if (written.ok()) return 0;
  std::fprintf(stderr, "make_reports: %s\n", std::string(written.message()).c_str());
  return 3;
}
