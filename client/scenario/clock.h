// Time in a run: one clock for all its events, and how the hosts' clocks stand to it.
#pragma once

#include <chrono>
#include <optional>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "client/report/result.h"
#include "socketeer/host.h"

namespace socketeer::scenario {

// The wall clock as it was when this was made, and since then the steady one: it does not jump. Copies tell the same
// time.
class RunClock {
 public:
  absl::Time Now() const;

 private:
  absl::Time wall_ = absl::Now();
  std::chrono::steady_clock::time_point steady_ = std::chrono::steady_clock::now();
};

// A host's clock shows the runner's time plus offset, give or take bound.
struct ClockReading {
  absl::Time at{};  // by the runner
  absl::Duration offset{};
  absl::Duration bound{};
};

// Asks for the host's clock several times; the shortest round trip knows it best.
absl::StatusOr<ClockReading> MeasureClock(const Host& host, const RunClock& clock, const CallOptions& calls);

// One offset and bound for the time from `before` to `after`, in which the clock drifted, or was set, once. Without
// `after`, which could not be had: until `end`, as far as clocks drift that nobody sets.
ClockReading Joined(const ClockReading& before, const std::optional<ClockReading>& after, absl::Time end);

// A host's time on the runner's clock, and never outside of `start` to `end`, where it is known to have been.
absl::Time AtHost(absl::Time host_time, absl::Duration offset, absl::Time start, absl::Time end);

}  // namespace socketeer::scenario
