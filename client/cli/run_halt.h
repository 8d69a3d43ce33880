// Ctrl-C for `run`: the steps end, and the cleanup still runs.
#pragma once

#include <thread>

#include "client/cli/wakeup.h"
#include "client/scenario/halt.h"

namespace socketeer::cli {

// While it lives, a first signal stops the halt; a second one ends the program.
class RunHalt {
 public:
  RunHalt();
  RunHalt(const RunHalt&) = delete;
  RunHalt& operator=(const RunHalt&) = delete;
  ~RunHalt();

  scenario::Halt& halt() { return halt_; }
  // Waits for a line on standard input, its end, or a signal.
  void AwaitEnter() const;

 private:
  scenario::Halt halt_;
  const int interrupts_;
  const Wakeup done_{};
  std::thread thread_;  // last
};

}  // namespace socketeer::cli
