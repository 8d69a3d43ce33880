// What `run` tells while it goes on: a line for each scenario that has ended.
#pragma once

#include <string>
#include <vector>

#include "client/cli/cli.h"
#include "client/report/result.h"

namespace socketeer::cli {

// "TCP half-close [family=tcp6] #2": of a scenario that runs more than once, which run it is.
std::string RunTitle(const report::ScenarioResult& result);

class RunLines : public report::Observer {
 public:
  explicit RunLines(const Cli& cli) : cli_(cli) {}
  void OnEnd(size_t index, const report::ScenarioResult& result) override;
  // The last line.
  absl::Status Summary(const report::RunResult& run) const;

 private:
  const Cli& cli_;
};

}  // namespace socketeer::cli
