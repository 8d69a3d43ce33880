// What a run of scenarios was: the one thing that every report is written from.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"

namespace socketeer::report {

// How a step, a scenario or a run ended. All but the first two are failures, each with an exit code (DESIGN: 2 to 6).
enum class Verdict {
  kPassed,
  kSkipped,      // not run: a tag, or what came before it failed
  kUsage,        // a value in the file was refused before any system call
  kUnreachable,  // a daemon cannot be reached, or is gone
  kFailed,       // an operation failed, and nothing said that it should
  kUnexpected,   // an expectation did not hold
  kDenied,       // a daemon's policy said no
  kTimedOut,     // it was not done in time
  kInterrupted,  // by a signal
};

// "passed", "skipped", "usage", "unreachable", "failed", "unexpected", "denied", "timed out", "interrupted".
const char* VerdictWord(Verdict verdict);

// One step as it ran once. Times are of the runner's clock, for all hosts alike: an event that begins after another
// one's end was caused by it or not, but never the other way round.
struct Event {
  std::string host{};    // the participant's name; "": the runner itself
  std::string branch{};  // of parallel groups, outermost first, "server/reader"; "": none
  std::string verb{};    // "open", "send", "run", "probe"
  std::string title{};   // the step's name, else what it does: `send client "hello"`
  int line = 0;
  int column = 0;
  int attempt = 1;  // of a retry
  bool cleanup = false;
  Verdict verdict = Verdict::kPassed;
  std::string message{};  // why it did not pass; several lines may be
  absl::Time start{};
  absl::Time end{};
  // When the host says that it happened (the socket was made, or closed), on the runner's clock: corrected by
  // Clock.offset, known to Clock.bound, and never outside of start to end.
  std::optional<absl::Time> at_host{};
  std::string socket{};  // as the file names it; "": none
  std::string local{};
  std::string peer{};
  uint64_t bytes_sent = 0;
  uint64_t bytes_received = 0;
  bool end_of_stream = false;  // what it received was the peer's end
  std::string errno_name{};    // ECONNREFUSED; also of an error that was expected. "": none
  int errno_number = 0;
};

// How well a host's clock is known: it shows the runner's time plus offset, give or take bound.
struct Clock {
  std::string host{};
  bool known = false;
  absl::Duration offset{};
  absl::Duration bound{};
};

// A socket of the run at the moment of the failure.
struct SocketRow {
  std::string host{};
  std::string name{};
  std::string kind{};
  std::string state{};
  std::string local{};
  std::string peer{};
  uint64_t bytes_sent = 0;
  uint64_t bytes_received = 0;
};

struct ScenarioResult {
  std::string name{};
  std::string file{};
  std::vector<std::string> tags{};
  std::vector<std::pair<std::string, std::string>> parameters{};  // of the matrix, and what was set
  int repetition = 1;                                             // of --repeat, from 1
  Verdict verdict = Verdict::kPassed;
  std::string message{};  // the first failure's, with its place: "half-close.yaml:12:5: ..."
  std::string host{};     // where that was; "": nowhere
  absl::Time start{};
  absl::Time end{};
  std::vector<std::string> hosts{};  // in the order of the file
  std::vector<Event> events{};       // by start
  std::vector<Clock> clocks{};
  std::vector<SocketRow> sockets{};             // of a failure
  std::vector<std::string> cleanup_failures{};  // a line each
};

struct RunResult {
  std::string version{};  // of the program
  absl::Time start{};
  absl::Time end{};
  std::optional<uint64_t> seed{};           // of --shuffle
  std::vector<ScenarioResult> scenarios{};  // in the order in which they were given, whatever the shuffle
};

// What is told while a run goes on. One call at a time; from any thread; must not block for long.
class Observer {
 public:
  virtual ~Observer() = default;
  // Before anything: those that will run, in their order in RunResult::scenarios; `index` below is the place there.
  virtual void OnPlan(const std::vector<ScenarioResult>& planned) { (void)planned; }
  virtual void OnStart(size_t index) { (void)index; }
  virtual void OnStep(size_t index, const Event& event) { (void)index, (void)event; }
  virtual void OnEnd(size_t index, const ScenarioResult& result) { (void)index, (void)result; }
};

}  // namespace socketeer::report
