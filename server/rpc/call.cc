#include "server/rpc/call.h"

#include <algorithm>
#include <utility>

#include "server/rpc/convert.h"
#include "server/rpc/status.h"

namespace socketeer::rpc {

net::OperationBase Call::OperationOf(net::Mode mode, std::optional<std::chrono::nanoseconds> timeout) const {
  const auto since = scope_.now() - scope_.began();
  if (timeout) *timeout = std::max(*timeout - since, std::chrono::nanoseconds::zero());
  return {.id = scope_.id(),
          .mode = mode,
          .timeout = timeout,
          .cancelled = &scope_.cancellation()->cancelled(),
          .actor = scope_.actor().get()};
}

base::Result<registry::RecordPtr> Call::Find(const std::string& name, const std::string& uid, registry::Access need) {
  base::Status entered = base::Ok();
  auto record = Find(name, uid, need, &entered);
  if (!entered.ok()) return std::move(entered).error();
  return record;
}

base::Result<registry::RecordPtr> Call::FindToLook(const std::string& name, const std::string& uid) {
  base::Status entered = base::Ok();
  return Find(name, uid, registry::Access::kObserve, &entered);
}

base::Result<registry::RecordPtr> Call::Find(const std::string& name, const std::string& uid, registry::Access need,
                                             base::Status* entered) {
  auto id = SocketIdOf(name, "name");
  if (!id.ok()) return std::move(id).error();
  socket_ = name;
  auto record = core().registry.Find(*id, uid, identity(), need);
  if (record.ok()) *entered = scope_.EnterSocket(*record, need);
  return record;
}

void Call::Post(const registry::RecordPtr& record, OnSocket run) {
  net::Shard& shard = record->shard();
  const net::SocketHandle handle = record->handle();
  WaitOn(shard, handle);
  shard.RunOrPost([this, &shard, handle, record, run = std::move(run)]() mutable {
    net::Socket* const socket = shard.Find(handle);
    if (socket == nullptr && !cancelled()) {
      if (core().draining.load()) return Fail(base::Draining());
      return Fail(base::SocketGone(record->id(), CloseReasonWord(core().registry.Look(record).close_reason)));
    }
    if (cancelled()) return Fail(base::Cancelled());
    const auto actor = scope_.actor();  // `run` may end the call
    const net::Socket::Acting acting(*socket, actor.get());
    run(*socket);
  });
}

void Call::WaitOn(net::Shard& shard, net::SocketHandle handle) {
  scope_.cancellation()->Set([&shard, handle, id = scope_.id()](const base::Error&) {
    shard.Post([&shard, handle, id] {
      if (net::Socket* const socket = shard.Find(handle)) socket->Cancel(id);
    });
  });
}

void Call::SetCanceller(std::function<void()> canceller) {
  if (!canceller) return scope_.cancellation()->Set(nullptr);
  scope_.cancellation()->Set([canceller = std::move(canceller)](const base::Error&) { canceller(); });
}

void Call::SetEnder(std::function<void(base::Error)> end) {
  scope_.CancelOnDrain();
  scope_.cancellation()->Set(std::move(end));  // last: it may end the call
}

void Call::Fail(base::Error error) {
  if (undo_) undo_();
  // Why a call was cancelled, its operation does not know.
  const auto why = scope_.cancellation()->why();
  if (why && why->reason == "GRANT_WITHDRAWN") {
    // What became of the socket is no longer the caller's business; only what was done before.
    const base::Error had = std::exchange(error, *why);
    error.operation = had.operation;
    error.bytes_done = had.bytes_done;
    error.datagrams_done = had.datagrams_done;
  } else if (why && error.reason == "CANCELLED") {
    error.code = why->code;
    error.origin = why->origin;
    error.reason = why->reason;
    error.message = why->message;
    error.metadata = why->metadata;
  }
  if (error.operation.empty()) error.operation = scope_.verb();
  if (error.socket.empty()) error.socket = socket_;
  scope_.NoteFailure(error);
  Tell(&error);
  End(ToGrpcStatus(error));
}

std::unique_ptr<const registry::Closer> Call::Closer() const {
  if (!scope_.core().trail.on()) return nullptr;
  const auto& address = scope_.caller().address;
  return std::make_unique<const registry::Closer>(
      registry::Closer{.caller = address ? *address : "", .request_id = std::string(request_id())});
}

void Call::End(const grpc::Status& status) {
  if (once_ && once_->mine) {
    registry::Answers& answers = session()->answers();
    // Who gave up and asks again means it.
    if (status.error_code() == grpc::StatusCode::CANCELLED) {
      answers.Forget(once_->request_id);
    } else {
      answers.Settle(once_->request_id, {.code = status.error_code(),
                                         .message = status.error_message(),
                                         .details = status.error_details(),
                                         .response = status.ok() ? once_->response->SerializeAsString() : ""});
    }
  }
  scope_.CountEnd(status.error_code());
  scope_.LogEnd(status.error_code(), request_id(), socket_);
  scope_.LeavePlace();
  Finish(status);
}

}  // namespace socketeer::rpc
