// How calls ended, since the daemon serves.
//
// Any thread. Made with its full size: to count is an addition at a place that is known.
#pragma once

#include <array>
#include <chrono>
#include <vector>

#include "server/base/counters.h"
#include "server/base/error.h"
#include "server/rpc/method.h"
#include "server/rpc/outcome.h"

namespace socketeer::rpc {

inline constexpr size_t kStatusCodes = 17;  // gRPC's, from OK (0) to UNAUTHENTICATED (16)

class CallCounters {
 public:
  CallCounters() : limits(LimitNames().size() + 1), refused_callers(AuthenticationReasons().size() + 1) {}

  // Once for each call. `code`: gRPC's.
  void Ended(Method method, int code, Outcome outcome, std::chrono::nanoseconds took) {
    OfMethod& of = methods[static_cast<size_t>(method)];
    of.codes[static_cast<size_t>(code)].Add();
    of.outcomes[outcome].Add();
    of.durations.Observe(took);
  }
  // A call, or a frame of it, is told this: was it a limit, or was the caller not believed?
  void Told(const base::Error& error);

  struct OfMethod {
    std::array<base::Counter, kStatusCodes> codes;
    std::array<base::Counter, kMaxOutcomes> outcomes;
    base::Durations durations;
  };
  std::array<OfMethod, kMethods> methods;
  std::vector<base::Counter> limits;           // by LimitNames(); the last one: any other
  std::vector<base::Counter> refused_callers;  // by AuthenticationReasons(), as well
};

}  // namespace socketeer::rpc
