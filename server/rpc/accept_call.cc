#include "server/rpc/accept_call.h"

#include <memory>
#include <utility>

#include "server/net/connection_operations.h"
#include "server/rpc/convert.h"

namespace socketeer::rpc {
namespace {

// One AcceptSocket. Lives on the heap, in its callbacks.
class Accepting : public std::enable_shared_from_this<Accepting> {
 public:
  Accepting(Call& call, const v1::AcceptSocketRequest& request, v1::AcceptSocketResponse* response,
            registry::RecordPtr listener)
      : call_(call), core_(call.core()), request_(request), response_(response), listener_(std::move(listener)) {}

  // A call that names its connection may get one that it got before, whose name it asks for again: so the name is
  // taken when a new one is there. Else at once, and the call waits only if it can be had.
  base::Status Start(const net::OperationBase& base) {
    net::AcceptOperation::Want want;
    if (request_.has_sequence()) {
      want.sequence = request_.sequence();
    } else if (auto status = Reserve(); !status.ok()) {
      return status;
    }
    want.reserve = [self = shared_from_this()]() -> base::Result<std::shared_ptr<net::SocketObserver>> {
      auto status = self->record_ ? self->CheckSession() : self->Reserve();
      if (!status.ok()) return std::move(status).error();
      return std::shared_ptr<net::SocketObserver>(self->record_);
    };
    call_.Post(listener_, [self = shared_from_this(), want = std::move(want), base](net::Socket& socket) {
      socket.Start(std::make_unique<net::AcceptOperation>(
          base, want, [self](base::Result<net::AcceptResult> result) { self->OnAccepted(std::move(result)); }));
    });
    return base::Ok();
  }

 private:
  // It has a place to live.
  base::Status CheckSession() {
    const registry::SessionPtr session = call_.scope().SessionForAccepted(listener_);
    const auto ended = session->ended();
    if (ended == registry::CloseReason::kNone) return base::Ok();
    return base::SessionEnded(session->name(), CloseReasonWord(ended));
  }

  base::Status Reserve() {
    if (auto status = CheckSession(); !status.ok()) return status;
    auto reserved = core_.registry.Reserve(request_.socket_id(), call_.scope().SessionForAccepted(listener_),
                                           registry::Labels(request_.labels().begin(), request_.labels().end()),
                                           &listener_->shard(), handle_);
    if (!reserved.ok()) return std::move(reserved).error();
    record_ = *std::move(reserved);
    call_.OnFailure([&registry = core_.registry, record = record_] { registry.Abandon(record); });
    return base::Ok();
  }

  void OnAccepted(base::Result<net::AcceptResult> result) {
    if (!result.ok()) return call_.Fail(std::move(result).error());
    response_->set_timed_out(result->timed_out);
    response_->set_sequence(result->sequence);
    response_->set_replayed(result->replayed);
    if (result->timed_out) {
      if (record_) core_.registry.Abandon(record_);
      return call_.Succeed(true);
    }
    if (result->replayed) {
      // A stream accepted it, and told nobody; the name that this call took is not needed.
      if (record_) core_.registry.Abandon(record_);
      // What a listener of ours accepts becomes a record of ours.
      record_ = std::static_pointer_cast<registry::Record>(result->became);
      if (record_->owner() != call_.identity()) return call_.Fail(base::AcceptedByAnother(result->sequence));
      return Succeed();
    }
    net::Shard& shard = listener_->shard();  // an accepted socket stays on its listener's loop
    shard.Adopt(handle_, *std::move(result), record_);
    // The listener may have moved since the call began.
    auto status = core_.registry.Publish(record_, call_.scope().SessionForAccepted(listener_));
    if (status.ok()) return Succeed();
    shard.Discard(handle_, [self = shared_from_this(), error = std::move(status).error()]() mutable {
      self->call_.Fail(std::move(error));
    });
  }

  void Succeed() {
    ToProto(core_.registry.Look(record_), response_->mutable_socket());
    call_.Succeed();
  }

  Call& call_;
  Core& core_;
  const v1::AcceptSocketRequest& request_;
  v1::AcceptSocketResponse* const response_;
  const registry::RecordPtr listener_;
  const net::SocketHandle handle_ = net::Shard::NextId();
  registry::RecordPtr record_;  // null until its name is taken
};

}  // namespace

base::Status StartAccept(Call& call, const v1::AcceptSocketRequest& request, v1::AcceptSocketResponse* response) {
  auto listener = call.Find(request.name(), request.uid());
  if (!listener.ok()) return std::move(listener).error();
  auto mode = FromProto(request.mode());
  if (!mode.ok()) return std::move(mode).error();
  auto timeout = TimeoutOf(request);
  if (!timeout.ok()) return std::move(timeout).error();
  return std::make_shared<Accepting>(call, request, response, *listener)->Start(call.OperationOf(*mode, *timeout));
}

}  // namespace socketeer::rpc
