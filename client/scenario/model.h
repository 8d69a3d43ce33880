// A scenario as it was read: what several hosts do with sockets, in what order, and what must be seen.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "client/scenario/value.h"

namespace socketeer::scenario {

struct Verb;  // client/scenario/verb.h
struct Step;
using Steps = std::vector<Step>;

// An operation of the API on a step's host.
struct Call {
  const Verb* verb = nullptr;  // never null once it is read
  Value arguments{};
  std::string folder{};  // of the file: where relative paths in it begin; "": the working directory
};

// A program on the machine that runs the scenario; its answer has `status`, `stdout` and `stderr`.
struct Program {
  std::vector<Value> command{};  // the program and its arguments; no shell
  Value input{};                 // what it reads; nothing: an empty input
};

// Reachability from the step's host, as `socketeer probe` finds it.
struct Probe {
  Value to{};        // HOST:PORT, or :PORT of one of the scenario's hosts
  Value protocol{};  // tcp or udp
  bool listen = false;
};

struct Branch {
  std::string name{};
  Steps steps;  // clang makes no empty list of what is declared below
};

// All branches at once. It ends when all have ended; when one fails, the others are cancelled.
struct Parallel {
  std::vector<Branch> branches{};
};

// The steps once for each combination of the variables' values.
struct Loop {
  std::vector<std::pair<std::string, std::vector<Value>>> over{};
  Steps steps;
};

// The steps until they have passed so many times in a row.
struct Retry {
  int successes = 1;
  absl::Duration pause = absl::Milliseconds(100);  // between two tries
  Steps steps;
};

// What an answer's field must be: `path` says which, e.g. "socket.local.port"; `matcher` is a word, or a map of what
// it must fulfil.
struct Expectation {
  std::string path{};
  Value matcher{};
  Place at{};
};

struct Capture {
  std::string variable{};
  std::string path{};
  Place at{};
};

struct Step {
  Place at{};
  std::string name{};  // "": none is given
  std::string host{};  // of Scenario.hosts; "": the action needs none
  std::variant<Call, Program, Probe, Parallel, Loop, Retry> action{};
  std::vector<Expectation> expectations{};
  std::vector<Capture> captures{};
  absl::Duration limit = absl::Seconds(10);  // how long it may take in all
};

// A host that takes part: its name in the scenario, and where it is, as `--host` has it, before variables are put in.
struct Participant {
  std::string name{};
  Value target{};
};

struct Scenario {
  std::string file{};
  std::string name{};
  std::string about{};
  std::vector<std::string> tags{};
  std::vector<Participant> hosts{};
  std::vector<std::pair<std::string, Value>> variables{};  // in an order in which each needs only those before
  std::vector<std::pair<std::string, std::vector<Value>>> matrix{};  // one run for each combination
  absl::Duration limit = absl::Seconds(60);                          // of steps; cleanup has as much again
  absl::Duration lease = absl::Seconds(10);                          // of the session on each host
  Steps steps{};
  Steps cleanup{};  // run always, each of them, whatever the others do
};

// Reads a file's text. `given` are variables that the caller sets, in place of those of the file; it need not have
// them. INVALID_ARGUMENT: the first mistake, "half-close.yaml:12:5: ...".
absl::StatusOr<Scenario> ReadScenario(const std::string& text, const std::string& file,
                                      const std::map<std::string, std::string>& given = {});

}  // namespace socketeer::scenario
