// How a call under way is told to end early: because its caller gave up, its session ended, or the daemon stops.
//
// Thread-safe. Shared by the call and by those who may end it, so that these need not know whether it still runs.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <optional>
#include <utility>

#include "server/base/error.h"

namespace socketeer::rpc {

class Cancellation {
 public:
  // What to do when the call is to end; null: nothing. Runs at most once, on any thread, at once if it has been told
  // already. It may run when the call is just ending: it finds out by itself.
  using Canceller = std::function<void(const base::Error& why)>;
  void Set(Canceller canceller) {
    std::optional<base::Error> why;
    {
      std::lock_guard lock(mutex_);
      if (!why_) {
        canceller_ = std::move(canceller);
        return;
      }
      why = why_;
    }
    if (canceller) canceller(*why);
  }

  // The first one counts.
  void Cancel(base::Error why) {
    Canceller canceller;
    {
      std::lock_guard lock(mutex_);
      if (why_) return;
      why_ = why;
      cancelled_.store(true);
      canceller = std::exchange(canceller_, nullptr);
    }
    if (canceller) canceller(why);
  }

  // The same because nobody stands behind the call any more.
  void EndProof(base::Error why) {
    unproven_.store(true);
    Cancel(std::move(why));
  }

  const std::atomic<bool>& cancelled() const { return cancelled_; }
  const std::atomic<bool>& unproven() const { return unproven_; }
  // Absent: it was not cancelled.
  std::optional<base::Error> why() const {
    std::lock_guard lock(mutex_);
    return why_;
  }

 private:
  std::atomic<bool> cancelled_{false};
  std::atomic<bool> unproven_{false};
  mutable std::mutex mutex_;
  std::optional<base::Error> why_;  // guarded by mutex_
  Canceller canceller_;             // guarded by mutex_
};

}  // namespace socketeer::rpc
