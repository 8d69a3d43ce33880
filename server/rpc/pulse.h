// Do all event loops still turn? Each is asked to run a task of its own: one that hangs in a system call, or turns
// without an end, does not come to it.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <vector>

#include "server/net/event_loop.h"

namespace socketeer::rpc {

// For one thread. The loops must outlive it.
class Pulse {
 public:
  explicit Pulse(std::vector<net::EventLoop*> loops) : loops_(std::move(loops)) {}

  // True when all that were asked the last time have answered; then they are asked anew.
  bool Feel() {
    if (silent_->load() != 0) return false;
    silent_->store(loops_.size());
    // Not RunOrPost(): it is the loop's own thread that must be well.
    for (net::EventLoop* const loop : loops_) loop->Post([silent = silent_] { silent->fetch_sub(1); });
    return true;
  }

 private:
  const std::vector<net::EventLoop*> loops_;
  const std::shared_ptr<std::atomic<size_t>> silent_ = std::make_shared<std::atomic<size_t>>(0);
};

}  // namespace socketeer::rpc
