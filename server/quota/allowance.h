// How much of the daemon an identity, or all together, may use.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>

namespace socketeer::quota {

inline constexpr uint64_t kUnlimited = std::numeric_limits<uint64_t>::max();

// What is taken, and given back.
enum class Count { kSockets, kSessions, kWaitingCalls, kBufferedBytes, kWatchers };
inline constexpr size_t kCounts = 5;
// What flows.
enum class Rate { kOpens, kBytes };
inline constexpr size_t kRates = 2;

// As keys of the file: "sockets", "opens_per_second".
const char* NameOf(Count count);
const char* NameOf(Rate rate);

struct RateTerms {
  uint64_t per_second = kUnlimited;
  uint64_t burst = 0;  // what a pause saves up, at most; with a rate at least 1

  bool limited() const { return per_second != kUnlimited; }
  friend bool operator==(const RateTerms&, const RateTerms&) = default;
};

// Who has used up a rate waits, or is refused.
enum class WhenExceeded { kDelay, kRefuse };

// A value; by default all is allowed.
struct Allowance {
  std::array<uint64_t, kCounts> counts{kUnlimited, kUnlimited, kUnlimited, kUnlimited, kUnlimited};
  std::array<RateTerms, kRates> rates{};
  WhenExceeded when_exceeded = WhenExceeded::kDelay;

  uint64_t& of(Count count) { return counts[static_cast<size_t>(count)]; }
  uint64_t of(Count count) const { return counts[static_cast<size_t>(count)]; }
  RateTerms& of(Rate rate) { return rates[static_cast<size_t>(rate)]; }
  const RateTerms& of(Rate rate) const { return rates[static_cast<size_t>(rate)]; }
};

}  // namespace socketeer::quota
