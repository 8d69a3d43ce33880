// One operation of a scenario, carried out on a host: the request of what stands in the file, the answer as paths.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "client/scenario/model.h"
#include "client/scenario/variables.h"
#include "google/protobuf/message.h"
#include "nlohmann/json.hpp"
#include "socketeer/host.h"

namespace socketeer::scenario {

// How socket ids of the file become ids at the daemon: "web" is "web-SUFFIX", so that runs at the same time do not
// meet; "sockets/web" is that very name. Immutable.
class SocketNames {
 public:
  explicit SocketNames(std::string suffix) : suffix_(std::move(suffix)) {}
  // "sockets/{id}" of what the file has.
  absl::StatusOr<std::string> ToDaemon(std::string_view text) const;
  // The other way, of names and ids in answers; what is not of this run stays as it is.
  std::string ToFile(std::string_view name) const;
  const std::string& suffix() const { return suffix_; }

 private:
  const std::string suffix_;
};

// What came of a step's action. The answer is JSON as people read it: addresses as text, enums as words, bytes as they
// are; an error is `{"error": {"reason": ..., "errno": ..., "operation": ..., ...}}`.
struct Outcome {
  absl::Status status{};  // of the action; expectations do not count here
  nlohmann::json answer{};
  absl::Duration took{};
  std::string shortfall{};  // "3 of 5 datagrams were sent": what was asked for and not done; "": nothing
  // For the report.
  std::string socket{};  // as the file names it
  uint64_t bytes_sent = 0;
  uint64_t bytes_received = 0;
  std::string local{};
  std::string peer{};
  std::optional<absl::Time> host_time{};  // of what it made or closed, by the host's own clock
};

// Carries out a call. `host` is in the run's session. Never throws; the status of a timed out call is OK, and its
// answer has `timed_out`.
Outcome Perform(const Call& call, const Host& host, const Variables& variables, const SocketNames& names,
                const CallOptions& options);

// The call as one line for people: `send client "hello"`, with variables filled in as far as they are known.
std::string Describe(const Call& call, const Variables& variables);

// What was expected is not so: FAILED_PRECONDITION, told apart from a daemon's.
absl::Status Unexpected(std::string_view message);
bool IsUnexpected(const absl::Status& status);

// OK when all expectations hold; Unexpected names the first that does not, with what was seen. An outcome with an
// error, or with `timed_out`, that no expectation speaks of is that error itself.
absl::Status CheckExpectations(const std::vector<Expectation>& expectations, const Outcome& outcome,
                               const Variables& variables);

// Sets each capture's variable. Unexpected: the answer has no such field.
absl::Status TakeCaptures(const std::vector<Capture>& captures, const Outcome& outcome, Variables* variables);

}  // namespace socketeer::scenario
