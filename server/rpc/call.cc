#include "server/rpc/call.h"

#include <algorithm>

#include "server/rpc/convert.h"
#include "server/rpc/status.h"

namespace socketeer::rpc {

Call::Call(Core& core, const grpc::CallbackServerContext& context, const char* verb)
    : core_(core),
      verb_(verb),
      caller_(core.connections.CallerOf(context.peer())),
      id_(net::Shard::NextId()),
      began_(core.clock.Now()) {
  core_.calls.fetch_add(1, std::memory_order_relaxed);
}

Call::~Call() {
  if (has_ender_) core_.drain_hooks.Remove(id_);
  // Under the mutex from the count on: Drain() may tear the core down once it has seen zero.
  std::lock_guard lock(core_.idle_mutex);
  if (core_.calls.fetch_sub(1) == 1 && core_.draining.load()) core_.idle.notify_all();
}

base::Status Call::Admit(const google::protobuf::Message& request) {
  if (core_.draining.load(std::memory_order_relaxed)) return base::Draining();
  if (caller_.identity.empty()) return base::UnknownCaller();
  if (caller_.over_limit) return base::LimitReached("max_connections", core_.limits.max_connections);
  if (core_.calls.load(std::memory_order_relaxed) > core_.limits.max_calls) {
    return base::LimitReached("max_calls", core_.limits.max_calls);
  }
  if (auto unknown = FirstUnknownField(request)) return base::UnknownField(*unknown);
  return base::Ok();
}

net::OperationBase Call::OperationOf(net::Mode mode, std::optional<std::chrono::nanoseconds> timeout) const {
  if (timeout) *timeout = std::max(*timeout - (core_.clock.Now() - began_), std::chrono::nanoseconds::zero());
  return {.id = id_, .mode = mode, .timeout = timeout, .cancelled = &cancelled_};
}

base::Result<registry::RecordPtr> Call::Find(const std::string& name, const std::string& uid) {
  auto id = SocketIdOf(name, "name");
  if (!id.ok()) return std::move(id).error();
  socket_ = name;
  return core_.registry.Find(*id, uid, caller_.identity);
}

void Call::Post(const registry::RecordPtr& record, OnSocket run) {
  net::Shard& shard = record->shard();
  const net::SocketHandle handle = record->handle();
  SetCanceller([&shard, handle, id = id_] {
    shard.Post([&shard, handle, id] {
      if (net::Socket* const socket = shard.Find(handle)) socket->Cancel(id);
    });
  });
  shard.Post([this, &shard, handle, record, run = std::move(run)]() mutable {
    net::Socket* const socket = shard.Find(handle);
    if (socket == nullptr) {
      return Fail(core_.draining.load() ? base::Draining() : base::SocketGone(record->id()));
    }
    if (cancelled()) return Fail(base::Cancelled());
    run(*socket);
  });
}

void Call::SetCanceller(std::function<void()> canceller) {
  std::unique_lock lock(mutex_);
  if (!cancelled()) {
    canceller_ = std::move(canceller);
    return;
  }
  lock.unlock();
  if (canceller) canceller();
}

void Call::SetEnder(std::function<void(base::Error)> end) {
  has_ender_ = true;
  core_.drain_hooks.Add(id_, [end] { end(base::Draining()); });
  SetCanceller([end] { end(base::Cancelled()); });
  if (core_.draining.load()) end(base::Draining());  // it had begun before the hook was there
}

void Call::OnCancel() {
  std::function<void()> canceller;
  {
    std::lock_guard lock(mutex_);
    cancelled_.store(true);
    canceller = std::exchange(canceller_, nullptr);
  }
  if (canceller) canceller();
}

void Call::Fail(base::Error error) {
  if (undo_) undo_();
  if (error.operation.empty()) error.operation = verb_;
  if (error.socket.empty()) error.socket = socket_;
  Finish(ToGrpcStatus(error));
}

}  // namespace socketeer::rpc
