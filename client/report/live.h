// What people see while scenarios run.
#pragma once

#include <unistd.h>

#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "absl/time/clock.h"
#include "client/report/result.h"

namespace socketeer::report {

// On a terminal a table of what is under way, below a line for each scenario that has ended; elsewhere those lines
// alone:
//
//   ok    UDP echo [mtu=1500] (12.0ms)
//   FAIL  TCP half-close (1.26s): half-close.yaml:56:5: ...
//   skip  SCTP: no tag of it was asked for
//
// Nothing of the terminal is changed that somebody would have to put back: neither modes, nor the cursor, nor the
// screen. It redraws when it is told something, at most so often that a person can follow. Thread-safe.
class Live : public Observer {
 public:
  struct Options {
    int fd = STDERR_FILENO;  // narration: standard output is for reports
    bool colour = true;      // on a terminal
    std::function<absl::Time()> now = absl::Now;
  };

  explicit Live(Options options);
  Live(const Live&) = delete;
  Live& operator=(const Live&) = delete;
  // Takes the table away.
  ~Live() override;

  void OnPlan(const std::vector<ScenarioResult>& planned) override;
  void OnStart(size_t index) override;
  // An event whose end lies before its start is under way.
  void OnStep(size_t index, const Event& event) override;
  void OnEnd(size_t index, const ScenarioResult& result) override;

 private:
  struct Row {
    std::string name{};
    absl::Time start{};
    size_t steps = 0;   // that have ended
    std::string now{};  // the last step that was told
  };

  Row& RowOf(size_t index);
  void Redraw(bool at_once);
  std::vector<std::string> Table(size_t lines, size_t columns) const;
  // Takes the table away, so that lines can be written where it was.
  std::string Erased(size_t columns);
  std::string Coloured(Verdict verdict, const std::string& text) const;
  void Write(const std::string& text) const;

  const Options options_;
  const bool terminal_;
  std::mutex mutex_;
  std::vector<Row> rows_;     // by index
  std::set<size_t> running_;  // in the order of the run
  size_t ended_ = 0;
  size_t failed_ = 0;
  std::vector<size_t> drawn_;  // the columns of each line of the table that stands there
  absl::Time drawn_at_ = absl::InfinitePast();
};

}  // namespace socketeer::report
