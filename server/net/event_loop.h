// One thread's reactor: epoll, timers, and tasks from other threads.
//
// All functions are for the loop's own thread, but for RunOrPost(), Post() and Stop(), which any thread may call. While
// the loop sleeps, another thread may run a task in its stead: whoever has the turn is "the loop's thread", and there
// is one turn. The loop owns its epoll and its eventfd; it never owns a watched descriptor. Events carry an id that is
// never used again, not a descriptor: an event that comes late meets nobody.
//
// Edge-triggered: a fresh TCP socket reports EPOLLHUP for ever, and a socket that nobody waits for must cost nothing.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "server/base/clock.h"
#include "server/base/result.h"
#include "server/net/loop_counters.h"
#include "server/net/syscalls.h"

namespace socketeer::net {

using Task = absl::AnyInvocable<void()>;
using TimerId = uint64_t;
using WatchId = uint64_t;

// Events of epoll(7): something comes in; anything.
inline constexpr uint32_t kArrivals = EPOLLIN | EPOLLRDHUP | EPOLLPRI;
inline constexpr uint32_t kAllEvents = kArrivals | EPOLLOUT;

// Told when a watched descriptor's readiness changed.
class EventHandler {
 public:
  virtual ~EventHandler() = default;
  // `events` as of epoll_ctl(2). May remove any watch, also its own.
  virtual void OnEvents(uint32_t events) = 0;
};

// Who runs a loop: its own thread, or one that does so while that sleeps. Not a mutex, for a task may try it on the
// thread that has it; and not a semaphore, for those of g++ 12 make a system call each time, and yield when they try.
class Turn {
 public:
  bool Try() {
    int expected = kFree;
    return state_.compare_exchange_strong(expected, kTaken);
  }
  // Waits for it. For the loop's own thread alone.
  void Take() {
    if (Try()) return;
    while (state_.exchange(kAwaited) != kFree) state_.wait(kAwaited);
  }
  void Give() {
    if (state_.exchange(kFree) == kAwaited) state_.notify_one();
  }

 private:
  static constexpr int kFree = 0, kTaken = 1, kAwaited = 2;
  std::atomic<int> state_{kFree};
};

class EventLoop {
 public:
  // `syscalls` and `clock` must outlive the loop.
  static base::Result<std::unique_ptr<EventLoop>> Create(Syscalls& syscalls, const base::Clock& clock);
  ~EventLoop();  // precondition: Run() has returned, or was never called
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  // Runs until Stop(). What was posted before Stop(), and what that posts, is run before it returns.
  void Run();
  void Stop();

  // Runs `task` on the loop's thread, after all that were posted before it. A task posted by a task runs in the next
  // round, after the descriptors had their turn.
  void Post(Task task);
  // The same; but if the loop sleeps, on this very thread, and before this returns: nobody has to be woken. For a
  // caller who holds no lock that `task` may need.
  void RunOrPost(Task task);

  // Watches `fd`, edge-triggered, for `events`. `handler` must outlive the watch.
  base::Result<WatchId> Watch(int fd, uint32_t events, EventHandler* handler);
  // Precondition: `fd` is still open.
  void Unwatch(WatchId id, int fd);
  // From now on `events`; those that hold already come anew.
  base::Status Rewatch(WatchId id, int fd, uint32_t events);

  TimerId RunAt(base::MonotonicTime when, Task task);
  void CancelTimer(TimerId id);  // no effect on one that ran

  base::MonotonicTime Now() const { return clock_.Now(); }
  Syscalls& syscalls() { return syscalls_; }
  // kMaxPayloadBytes of room to receive into, shared by all that run on this loop; touched pages only cost memory.
  char* scratch() { return scratch_.get(); }
  // Any thread.
  LoopCounters& counters() { return counters_; }
  const LoopCounters& counters() const { return counters_; }

 private:
  EventLoop(Syscalls& syscalls, const base::Clock& clock, int epoll, int wake);
  int Sleep(epoll_event* events);
  int TimeoutMs() const;
  bool Idle();
  void Wake();
  void Dispatch(const epoll_event* events, int count);
  void RunTimers();
  bool RunPosted();  // false: stop

  Syscalls& syscalls_;
  const base::Clock& clock_;
  const int epoll_;
  const int wake_;

  std::unordered_map<WatchId, EventHandler*> handlers_;
  WatchId next_watch_ = 1;  // 0 is the eventfd
  std::map<std::pair<base::MonotonicTime, TimerId>, Task> timers_;
  std::unordered_map<TimerId, base::MonotonicTime> timer_times_;
  TimerId next_timer_ = 1;
  const std::unique_ptr<char[]> scratch_;
  std::vector<Task> running_;                                  // the batch being run; a member for its capacity
  base::MonotonicTime wakes_at_ = base::MonotonicTime::min();  // while it sleeps: for its first timer

  Turn turn_;                      // guards all above
  std::atomic<bool> awake_{true};  // the loop's own thread wants the turn, or has it: others post

  std::mutex mutex_;
  std::vector<Task> posted_;            // guarded by mutex_
  base::MonotonicTime posted_since_{};  // of the first of them; guarded by mutex_
  bool stopping_ = false;               // guarded by mutex_

  LoopCounters counters_;
};

}  // namespace socketeer::net
