// One thread's reactor: epoll, timers, and tasks posted by other threads.
//
// All functions are for the loop's own thread, but for Post() and Stop(), which any thread may call. The loop owns its
// epoll and its eventfd; it never owns a watched descriptor. Events carry an id that is never used again, not a
// descriptor: an event that comes late meets nobody.
//
// Edge-triggered: a fresh TCP socket reports EPOLLHUP for ever, and a socket that nobody waits for must cost nothing.
#pragma once

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
#include "server/net/syscalls.h"

namespace socketeer::net {

using Task = absl::AnyInvocable<void()>;
using TimerId = uint64_t;
using WatchId = uint64_t;

// Told when a watched descriptor's readiness changed.
class EventHandler {
 public:
  virtual ~EventHandler() = default;
  // `events` as of epoll_ctl(2). May remove any watch, also its own.
  virtual void OnEvents(uint32_t events) = 0;
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

  // Watches `fd`, edge-triggered, for `events`. `handler` must outlive the watch.
  base::Result<WatchId> Watch(int fd, uint32_t events, EventHandler* handler);
  // Precondition: `fd` is still open.
  void Unwatch(WatchId id, int fd);

  TimerId RunAt(base::MonotonicTime when, Task task);
  void CancelTimer(TimerId id);  // no effect on one that ran

  base::MonotonicTime Now() const { return clock_.Now(); }
  Syscalls& syscalls() { return syscalls_; }
  // kMaxPayloadBytes of room to receive into, shared by all that run on this loop; touched pages only cost memory.
  char* scratch() { return scratch_.get(); }

 private:
  EventLoop(Syscalls& syscalls, const base::Clock& clock, int epoll, int wake);
  int TimeoutMs() const;
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
  std::vector<Task> running_;  // the batch being run; a member for its capacity

  std::mutex mutex_;
  std::vector<Task> posted_;  // guarded by mutex_
  bool stopping_ = false;     // guarded by mutex_
};

}  // namespace socketeer::net
