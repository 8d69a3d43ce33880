#include "client/scenario/clock.h"

#include <algorithm>

#include "google/protobuf/util/time_util.h"

namespace socketeer::scenario {
namespace {

constexpr int kTries = 5;
// More than the quartz of any host, in parts of a million.
constexpr double kDrift = 200e-6;

}  // namespace

absl::Time RunClock::Now() const { return wall_ + absl::FromChrono(std::chrono::steady_clock::now() - steady_); }

absl::StatusOr<ClockReading> MeasureClock(const Host& host, const RunClock& clock, const CallOptions& calls) {
  std::optional<ClockReading> best;
  for (int i = 0; i < kTries; ++i) {
    const absl::Time asked = clock.Now();
    const absl::StatusOr<v1::Host> answer = host.GetHost(calls);
    const absl::Time answered = clock.Now();
    if (!answer.ok()) return answer.status();
    const absl::Duration half = (answered - asked) / 2;
    if (best.has_value() && best->bound <= half) continue;
    const absl::Time shown =
        absl::FromUnixNanos(google::protobuf::util::TimeUtil::TimestampToNanoseconds(answer->clock()));
    best = ClockReading{.at = answered, .offset = shown - (asked + half), .bound = half};
  }
  return *best;
}

ClockReading Joined(const ClockReading& before, const std::optional<ClockReading>& after, absl::Time end) {
  if (!after.has_value()) {
    ClockReading widened = before;
    widened.bound += kDrift * std::max(end - before.at, absl::ZeroDuration());
    return widened;
  }
  const absl::Duration low = std::min(before.offset - before.bound, after->offset - after->bound);
  const absl::Duration high = std::max(before.offset + before.bound, after->offset + after->bound);
  return {.at = after->at, .offset = low + (high - low) / 2, .bound = (high - low) / 2};
}

absl::Time AtHost(absl::Time host_time, absl::Duration offset, absl::Time start, absl::Time end) {
  return std::clamp(host_time - offset, start, std::max(start, end));
}

}  // namespace socketeer::scenario
