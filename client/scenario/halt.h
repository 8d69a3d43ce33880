// What ends steps before they are done: a signal, or a step beside them that failed.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "client/report/result.h"
#include "socketeer/call_options.h"

namespace socketeer::scenario {

// Halts stand in each other: of the program, of a run, of a parallel group. Thread-safe.
class Halt {
 public:
  struct Reason {
    report::Verdict verdict = report::Verdict::kSkipped;  // of the steps that it ends
    std::string text{};
  };

  // Calls a function once the halt is stopped: on the thread that stops it, or at once if that was before. When this
  // object is gone, the function is not called any more. It must not wait for anything.
  class Listener {
   public:
    Listener(Halt& halt, std::function<void(const Reason&)> function);
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;
    ~Listener();

   private:
    Halt& halt_;
  };

  // `outer` may be null; it outlives this, and stops this when it is stopped.
  explicit Halt(Halt* outer = nullptr);
  Halt(const Halt&) = delete;
  Halt& operator=(const Halt&) = delete;

  // Ends what is under way, and every later call at once. Only the first reason counts.
  void Stop(const Reason& reason);
  // Nullopt: it is not stopped.
  std::optional<Reason> reason() const;
  // For calls; cancelled by Stop alone.
  Cancellation* cancellation() { return &cancellation_; }

 private:
  mutable std::mutex mutex_;
  std::optional<Reason> reason_;
  std::map<const Listener*, std::function<void(const Reason&)>> listeners_;
  Cancellation cancellation_;
  std::optional<Listener> outer_;  // last: it may stop this while it is made
};

}  // namespace socketeer::scenario
