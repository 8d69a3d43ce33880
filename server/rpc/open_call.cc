#include "server/rpc/open_call.h"

#include <utility>

#include "server/net/errno_table.h"
#include "server/rpc/convert.h"
#include "server/rpc/open_turn.h"

namespace socketeer::rpc {
namespace {

// One OpenSocket while it tries its plans. Lives on the heap, in the callbacks of the attempt under way.
class Opening : public std::enable_shared_from_this<Opening> {
 public:
  Opening(Call& call, const v1::OpenSocketRequest& request, v1::OpenSocketResponse* response,
          std::vector<net::OpenPlan> plans, std::optional<std::chrono::nanoseconds> timeout)
      : call_(call),
        core_(call.core()),
        id_(request.socket_id()),
        labels_(request.labels().begin(), request.labels().end()),
        response_(response),
        plans_(std::move(plans)),
        timeout_(timeout) {}

  // Each attempt is an open of its own.
  base::Status Try() {
    const auto self = shared_from_this();
    return WhenItMayOpen(
        call_, call_.OperationOf(net::Mode::kWait, timeout_).timeout,
        [self] {
          if (auto status = self->TryNow(); !status.ok()) self->call_.Fail(std::move(status).error());
        },
        [self] { self->TimeOut(); });
  }

 private:
  // Each attempt has a socket, hence a handle, of its own.
  base::Status TryNow() {
    net::Shard& shard = core_.PickShard();
    const net::SocketHandle handle = net::Shard::NextId();
    auto reserved = core_.registry.Reserve(id_, call_.session(), labels_, &shard, handle);
    if (!reserved.ok()) return std::move(reserved).error();
    const net::OperationBase base = call_.OperationOf(net::Mode::kWait, timeout_);
    call_.WaitOn(shard, handle);
    shard.RunOrPost([self = shared_from_this(), &shard, handle, base, record = *reserved] {
      if (self->call_.cancelled()) {
        self->core_.registry.Abandon(record);
        return self->call_.Fail(base::Cancelled());
      }
      shard.Open(handle, self->plans_[self->at_], base, record,
                 [self, record](auto result) { self->OnOpened(record, std::move(result)); });
    });
    return base::Ok();
  }

  void TimeOut() {
    response_->set_timed_out(true);
    call_.Succeed(true);
  }

  void OnOpened(const registry::RecordPtr& record, base::Result<net::OpenResult> result) {
    if (!result.ok()) {
      core_.registry.Abandon(record);
      return OnFailure(std::move(result).error());
    }
    if (result->timed_out) {
      core_.registry.Abandon(record);
      return TimeOut();
    }
    // Nobody would know of this socket, or it has no place to live.
    if (call_.cancelled()) return Discard(record, base::Cancelled());
    if (auto status = core_.registry.Publish(record); !status.ok()) {
      return Discard(record, std::move(status).error());
    }
    ToProto(core_.registry.Look(record), response_->mutable_socket());
    call_.Succeed();
  }

  void Discard(const registry::RecordPtr& record, base::Error why) {
    record->shard().Discard(record->handle(), [self = shared_from_this(), why = std::move(why)]() mutable {
      self->call_.Fail(std::move(why));
    });
  }

  void OnFailure(base::Error error) {
    // Of the kernel, or of the policy.
    const bool refused = error.errno_number != 0 || error.reason == "POLICY_DENIED";
    const bool next = error.operation == "connect" && refused && at_ + 1 < plans_.size() && !core_.draining.load();
    if (!next) {
      error.socket.clear();  // there is none
      error.state = 0;
      return call_.Fail(std::move(error));
    }
    if (error.errno_number == 0) call_.scope().Tell(&error);
    v1::FailedAttempt* const attempt = response_->add_failed_attempts();
    ToProto(plans_[at_].connect, attempt->mutable_peer());
    attempt->set_errno_number(error.errno_number);
    if (error.errno_number != 0) attempt->set_errno_name(net::ErrnoName(error.errno_number));
    attempt->set_reason(error.reason);
    ++at_;
    if (auto status = Try(); !status.ok()) call_.Fail(std::move(status).error());
  }

  Call& call_;
  Core& core_;
  const std::string id_;
  const registry::Labels labels_;
  v1::OpenSocketResponse* const response_;
  const std::vector<net::OpenPlan> plans_;
  const std::optional<std::chrono::nanoseconds> timeout_;  // of the whole call
  size_t at_ = 0;
};

}  // namespace

base::Status StartOpen(Call& call, const v1::OpenSocketRequest& request, v1::OpenSocketResponse* response) {
  auto checked = CheckOpen(request);
  if (!checked.ok()) return std::move(checked).error();
  std::vector<EndpointQuery> queries;
  if (request.has_bind()) queries.push_back({request.bind(), "bind", true});
  if (request.has_connect()) queries.push_back({request.connect(), "connect", false});
  const net::SocketKind kind{.family = checked->family, .type = checked->type};
  return ResolveAll(call, std::move(queries), kind,
                    [&call, &request, response, open = *std::move(checked)](std::vector<Addresses> found) {
                      Addresses bind, connect;
                      if (request.has_connect()) {
                        connect = std::move(found.back());
                        found.pop_back();
                      }
                      if (request.has_bind()) bind = std::move(found.back());
                      auto plans = PlanOpen(open, bind, connect);
                      if (!plans.ok()) return call.Fail(std::move(plans).error());
                      auto opening =
                          std::make_shared<Opening>(call, request, response, *std::move(plans), open.timeout);
                      if (auto status = opening->Try(); !status.ok()) call.Fail(std::move(status).error());
                    });
}

}  // namespace socketeer::rpc
