// A thread, its event loop, and the sockets that live on it.
//
// A socket is named by a handle, which its maker takes from NextId() before anything is posted, so that a call can
// be cancelled before its socket exists. Post() and RunOrPost() are for any thread; everything else, if not said
// otherwise, is for the shard's own.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <thread>
#include <unordered_map>

#include "server/base/worker_pool.h"
#include "server/net/connection_operations.h"
#include "server/net/event_loop.h"
#include "server/net/socket.h"

namespace socketeer::net {

// socket(2) and what follows it in one step.
struct OpenPlan {
  SocketKind kind;
  bool both_families = false;  // turn IPV6_V6ONLY off
  OptionList options;
  SocketAddress bind;     // empty: no bind
  SocketAddress connect;  // empty: no connect
  std::optional<int> listen_backlog;
};

struct OpenResult {
  SocketInfo info{};
  bool timed_out = false;  // there is no socket
};

class Shard {
 public:
  // `syscalls`, `clock`, `closers` (for closes that block) and `budget` must outlive the shard. Starts the thread.
  static base::Result<std::unique_ptr<Shard>> Create(Syscalls& syscalls, const base::Clock& clock,
                                                     base::WorkerPool& closers, uint32_t max_waiting_per_side,
                                                     RetainedBudget& budget);
  // Closes what is left, and ends the thread. Not on the shard's own thread.
  ~Shard();

  void Post(Task task) { loop_->Post(std::move(task)); }
  void RunOrPost(Task task) { loop_->RunOrPost(std::move(task)); }
  // Any thread; unique in the process, for handles, operations and waiters alike.
  static uint64_t NextId();

  EventLoop& loop() { return *loop_; }
  // Null when it was closed, or is not there yet. Valid until the current task ends.
  Socket* Find(SocketHandle handle);

  using OpenDone = absl::AnyInvocable<void(base::Result<OpenResult>) &&>;
  // Atomic: on failure nothing is left and the error names the step. Only a connect waits; it can be ended by
  // Socket::Cancel(base.id).
  void Open(SocketHandle handle, OpenPlan plan, OperationBase base, std::shared_ptr<SocketObserver> observer,
            OpenDone done);
  // Takes in an accepted descriptor.
  SocketInfo Adopt(SocketHandle handle, AcceptResult accepted, std::shared_ptr<SocketObserver> observer);
  // Ends what waits on it with `why`. `done` runs when it is closed; at once if it was not there.
  void Close(SocketHandle handle, base::Error why, Task done);
  // Its close(2) will not block. No effect if it is not there.
  void DoNotLinger(SocketHandle handle);
  // Closes a socket that nobody was told of, without lingering. Not at once: so it may be called inside that socket.
  void Discard(SocketHandle handle, Task done);
  // The daemon stops. EndWaiting: what waits ends with `why`, and from then on Open() is refused with it. CloseAll:
  // closes every socket too, without lingering.
  void EndWaiting(const base::Error& why);
  void CloseAll(const base::Error& why);

 private:
  Shard(std::unique_ptr<EventLoop> loop, base::WorkerPool& closers, uint32_t max_waiting, RetainedBudget& budget);

  base::Result<std::shared_ptr<Socket>> Make(const OpenPlan& plan, std::shared_ptr<SocketObserver> observer);
  base::Status Prepare(Socket& socket, const OpenPlan& plan);
  // Its close(2) must not block: nobody is there to wait for it.
  void DoNotLinger(Socket& socket);

  const std::unique_ptr<EventLoop> loop_;
  base::WorkerPool& closers_;
  const uint32_t max_waiting_;
  RetainedBudget& budget_;
  std::unordered_map<SocketHandle, std::shared_ptr<Socket>> sockets_;
  std::optional<base::Error> stopped_;  // by EndWaiting() or CloseAll()
  std::thread thread_;
};

}  // namespace socketeer::net
