#include "server/net/event_loop.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "server/base/limits.h"
#include "server/net/errno_table.h"

namespace socketeer::net {
namespace {

constexpr WatchId kWakeId = 0;
constexpr int kEventsPerRound = 64;

}  // namespace

base::Result<std::unique_ptr<EventLoop>> EventLoop::Create(Syscalls& syscalls, const base::Clock& clock) {
  const int epoll = syscalls.EpollCreate1(EPOLL_CLOEXEC);
  if (epoll < 0) return KernelError("open", "epoll_create1", errno);
  const int wake = syscalls.EventFd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (wake < 0) {
    const int error = errno;
    syscalls.Close(epoll);
    return KernelError("open", "eventfd", error);
  }
  std::unique_ptr<EventLoop> loop(new EventLoop(syscalls, clock, epoll, wake));
  epoll_event event{.events = EPOLLIN, .data = {.u64 = kWakeId}};
  if (syscalls.EpollCtl(epoll, EPOLL_CTL_ADD, wake, &event) < 0) {
    return KernelError("open", "epoll_ctl", errno);
  }
  return loop;
}

EventLoop::EventLoop(Syscalls& syscalls, const base::Clock& clock, int epoll, int wake)
    : syscalls_(syscalls), clock_(clock), epoll_(epoll), wake_(wake), scratch_(new char[base::kMaxPayloadBytes]) {}

EventLoop::~EventLoop() {
  syscalls_.Close(wake_);
  syscalls_.Close(epoll_);
}

void EventLoop::Run() {
  std::array<epoll_event, kEventsPerRound> events;
  turn_.Take();
  do {
    const int count = Sleep(events.data());
    Dispatch(events.data(), count);  // negative on EINTR: nothing to dispatch
    RunTimers();
  } while (RunPosted());
  turn_.Give();
}

int EventLoop::Sleep(epoll_event* events) {
  const int timeout = TimeoutMs();
  wakes_at_ = timers_.empty() ? base::MonotonicTime::max() : timers_.begin()->first.first;
  awake_.store(false);
  turn_.Give();
  const int count = syscalls_.EpollWait(epoll_, events, kEventsPerRound, timeout);
  awake_.store(true);
  turn_.Take();
  wakes_at_ = base::MonotonicTime::min();
  return count;
}

void EventLoop::Stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  Wake();
}

void EventLoop::Post(Task task) {
  bool first;
  {
    std::lock_guard lock(mutex_);
    first = posted_.empty();
    if (first) posted_since_ = clock_.Now();
    posted_.push_back(std::move(task));
  }
  // Whoever made the queue non-empty wakes the loop; it empties the queue in one go.
  if (first) Wake();
}

void EventLoop::RunOrPost(Task task) {
  if (awake_.load() || !turn_.Try()) return Post(std::move(task));
  const bool idle = Idle();
  if (idle) {
    task();
    task = nullptr;  // what it holds goes in its turn, too
  }
  turn_.Give();
  if (!idle) Post(std::move(task));
}

bool EventLoop::Idle() {
  std::lock_guard lock(mutex_);
  return posted_.empty() && !stopping_;
}

void EventLoop::Wake() {
  const uint64_t one = 1;
  // Fails only when the counter is full, and then the loop is awake anyway.
  [[maybe_unused]] const ssize_t written = write(wake_, &one, sizeof(one));
}

base::Result<WatchId> EventLoop::Watch(int fd, uint32_t events, EventHandler* handler) {
  const WatchId id = next_watch_++;
  epoll_event event{.events = events | EPOLLET, .data = {.u64 = id}};
  if (syscalls_.EpollCtl(epoll_, EPOLL_CTL_ADD, fd, &event) < 0) {
    return KernelError("open", "epoll_ctl", errno);
  }
  handlers_.emplace(id, handler);
  return id;
}

base::Status EventLoop::Rewatch(WatchId id, int fd, uint32_t events) {
  epoll_event event{.events = events | EPOLLET, .data = {.u64 = id}};
  if (syscalls_.EpollCtl(epoll_, EPOLL_CTL_MOD, fd, &event) < 0) return KernelError("watch", "epoll_ctl", errno);
  return base::Ok();
}

void EventLoop::Unwatch(WatchId id, int fd) {
  if (handlers_.erase(id) == 0) return;
  epoll_event unused{};
  syscalls_.EpollCtl(epoll_, EPOLL_CTL_DEL, fd, &unused);  // a watch that exists can be removed
}

TimerId EventLoop::RunAt(base::MonotonicTime when, Task task) {
  const TimerId id = next_timer_++;
  timers_.emplace(std::pair(when, id), std::move(task));
  timer_times_.emplace(id, when);
  if (when < wakes_at_) {  // it sleeps, and would for too long
    wakes_at_ = when;
    Wake();
  }
  return id;
}

void EventLoop::CancelTimer(TimerId id) {
  const auto found = timer_times_.find(id);
  if (found == timer_times_.end()) return;
  timers_.erase({found->second, id});
  timer_times_.erase(found);
}

int EventLoop::TimeoutMs() const {
  if (timers_.empty()) return -1;
  const auto wait = timers_.begin()->first.first - clock_.Now();
  const auto ms = std::chrono::ceil<std::chrono::milliseconds>(wait).count();
  return static_cast<int>(std::clamp<int64_t>(ms, 0, 60'000));
}

void EventLoop::Dispatch(const epoll_event* events, int count) {
  for (int i = 0; i < count; ++i) {
    const WatchId id = events[i].data.u64;
    if (id == kWakeId) {
      uint64_t ignored;
      [[maybe_unused]] const ssize_t got = read(wake_, &ignored, sizeof(ignored));
      continue;
    }
    // Looked up again for each: the handler before may have removed this one.
    const auto found = handlers_.find(id);
    if (found != handlers_.end()) found->second->OnEvents(events[i].events);
  }
}

void EventLoop::RunTimers() {
  if (timers_.empty()) return;
  const base::MonotonicTime now = clock_.Now();
  while (!timers_.empty() && timers_.begin()->first.first <= now) {
    auto node = timers_.extract(timers_.begin());
    counters_.lag.Observe(now - node.key().first);
    timer_times_.erase(node.key().second);
    node.mapped()();
  }
}

bool EventLoop::RunPosted() {
  bool stopping;
  base::MonotonicTime since;
  {
    std::lock_guard lock(mutex_);
    running_.swap(posted_);
    stopping = stopping_;
    since = posted_since_;
  }
  const bool idle = running_.empty();
  if (!idle) counters_.lag.Observe(clock_.Now() - since);
  for (Task& task : running_) task();
  running_.clear();
  if (stopping && !idle) Wake();  // one more round, for what these may have posted
  return !(stopping && idle);
}

}  // namespace socketeer::net
