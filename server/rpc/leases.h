// Looks after the leases: who still lives, and whose time is over.
//
// On the control loop's thread, but for LookSoonEnoughFor() and EndSession().
#pragma once

#include <cstdint>
#include <functional>

#include "server/rpc/core.h"

namespace socketeer::rpc {

// Ends a session, closes its sockets, and ends its calls. `done` runs when all sockets are closed, with their number,
// on any thread. False: it had ended before, and nothing is done. `by`: who ends it, for the audit; may be null.
bool EndSession(Core& core, const registry::SessionPtr& session, registry::CloseReason why,
                std::function<void(uint32_t closed)> done, const registry::Closer* by = nullptr);

class Leases {
 public:
  // `core` must outlive this, and its control loop be stopped before it goes.
  explicit Leases(Core& core) : core_(core) {}

  // A lease of `ttl` began. Any thread.
  void LookSoonEnoughFor(std::chrono::nanoseconds ttl);

 private:
  void TickAt(base::MonotonicTime when);
  void Tick();
  void LookAfter(const registry::SessionPtr& session, base::MonotonicTime now, std::chrono::nanoseconds late);

  Core& core_;
  net::TimerId timer_ = 0;
  base::MonotonicTime due_;  // when the timer is to tick
};

}  // namespace socketeer::rpc
