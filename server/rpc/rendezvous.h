// A call that waits for what other callers do: they end it, or its time, or whatever ends calls; the first of them.
#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <optional>

#include "server/rpc/call.h"

namespace socketeer::rpc {

// Each of those who may end it holds a reference. Whether it still waits, whatever it waits at knows: only who takes it
// out there, by Leave() or by telling it, ends the call.
class Rendezvous : public std::enable_shared_from_this<Rendezvous> {
 public:
  Rendezvous(Call& call, std::optional<std::chrono::nanoseconds> timeout)
      : call_(call), core_(call.core()), timeout_(timeout) {}
  virtual ~Rendezvous() = default;

  // An error: nothing was begun. Else the call may have ended when it returns.
  base::Status Start();

 protected:
  // Begins to wait; from now on it may be told, on any thread.
  virtual base::Status Arrive() = 0;
  // Waits no more. `why`: what ends the call; null: its time, of which the response is to tell. False: it is told, or
  // just being told, and ends by that.
  virtual bool Leave(const base::Error* why) = 0;

  // Whoever was told ends the call: it succeeds.
  void Succeed();
  void Fail(base::Error error);
  Call& call() { return call_; }
  Core& core() { return core_; }

 private:
  void OnTime();
  void OnEnd(const base::Error& why);
  void StopTimer();

  Call& call_;  // alive until one of those has ended it
  Core& core_;
  const std::optional<std::chrono::nanoseconds> timeout_;
  net::TimerId timer_ = 0;  // on the control loop's thread, as the next
  bool over_ = false;

  std::mutex mutex_;  // guards all below; never held over a call to anything else
  bool arrived_ = false;
  std::optional<base::Error> end_;  // what was to end it before it had arrived
};

}  // namespace socketeer::rpc
