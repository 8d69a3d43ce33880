#include "server/rpc/call_scope.h"

#include <grpc/grpc.h>

#include <algorithm>

#include "proto/wire/traceparent.h"
#include "server/rpc/convert.h"
#include "socketeer/v1/host_service.pb.h"
#include "socketeer/v1/socket_service.pb.h"

namespace socketeer::rpc {
namespace {

// gRPC's call, not its context, which goes with OnDone(): that may come while it is being cut off, and on that thread.
ProofWatch::Keep KeepFor(const grpc::CallbackServerContext& context) {
  grpc_call* const call = const_cast<grpc::CallbackServerContext&>(context).c_call();  // which changes nothing
  return [call]() -> ProofWatch::Cut {
    grpc_call_ref(call);
    return [kept = std::shared_ptr<grpc_call>(call, grpc_call_unref)] { grpc_call_cancel(kept.get(), nullptr); };
  };
}

// "": there is none, or what there is is none.
std::string TraceparentOf(const grpc::CallbackServerContext& context) {
  const auto found = context.client_metadata().find(wire::kTraceparentMetadata);
  if (found == context.client_metadata().end()) return "";
  const std::string_view text(found->second.data(), found->second.size());
  return wire::IsTraceparent(text) ? std::string(text.substr(0, wire::kTraceparentSize)) : "";
}

// How many calls it counts for.
uint32_t PlacesFor(const google::protobuf::Message& request, uint32_t most_items) {
  if (request.GetDescriptor() != v1::AwaitSocketsRequest::descriptor()) return 1;
  // More items are refused.
  const int items = static_cast<const v1::AwaitSocketsRequest&>(request).items_size();
  return 1 + std::min(static_cast<uint32_t>(items), most_items) / base::kAwaitItemsOfACall;
}

}  // namespace

CallScope::CallScope(Core& core, const grpc::CallbackServerContext& context, Method method)
    : core_(core),
      method_(method),
      context_(context),
      caller_(core.identities.CallerOf(context)),
      id_(net::Shard::NextId()),
      began_(core.clock.Now()),
      names_session_(context.client_metadata().contains(kSessionMetadata)),
      traceparent_(TraceparentOf(context)),
      cancellation_(std::make_shared<Cancellation>()) {
  core_.calls.fetch_add(1, std::memory_order_relaxed);
}

CallScope::~CallScope() {
  LeavePlace();
  if (has_drain_hook_) core_.drain_hooks.Remove(id_);
  OnDone();  // of one that is not gRPC's yet
  // The beginning of a short call was sign of life enough, and who has lost his proof gives none.
  const bool was_long = !sessions_.empty() && now() - began_ > kPingInterval && !cancellation_->unproven().load();
  const auto heard = was_long ? core_.connections.Heard(caller_.connection) : std::nullopt;
  if (actor_) {
    core_.registry.Leave(socket_, id_);
  } else if (socket_) {
    if (heard) core_.registry.SessionOf(socket_)->Renew(*heard);
    core_.registry.Release(socket_, id_);
  }
  for (const auto& session : sessions_) {
    if (heard) session->Renew(*heard);
    session->Release(id_);
  }
  // Under the mutex from the count on: Drain() may tear the core down once it has seen zero.
  std::lock_guard lock(core_.idle_mutex);
  if (core_.calls.fetch_sub(places_) == places_ && core_.draining.load()) core_.idle.notify_all();
}

base::Status CallScope::Admit(const google::protobuf::Message& request) {
  if (core_.draining.load(std::memory_order_relaxed)) return base::Draining();
  if (caller_.refused) return *caller_.refused;
  if (caller_.identity.empty()) return base::UnknownCaller();
  if (caller_.over_limit) return base::LimitReached("max_connections", core_.limits.max_connections);
  const uint32_t more = PlacesFor(request, core_.limits.max_await_conditions) - 1;
  places_ += more;
  if (core_.calls.fetch_add(more, std::memory_order_relaxed) + more > core_.limits.max_calls) {
    return base::LimitReached("max_calls", core_.limits.max_calls);
  }
  if (auto status = core_.identities.Watch(id_, caller_, cancellation_, KeepFor(context_)); !status.ok()) {
    return status;
  }
  auto entered = EnterOwn();
  while (!entered.ok() && !names_session_) entered = EnterOwn();  // the standing one ended just now: there is a new one
  if (!entered.ok()) return entered;
  if (auto status = TakePlace(request); !status.ok()) return status;
  if (arrival_.refused) return *arrival_.refused;
  return base::Ok();
}

base::Status CallScope::TakePlace(const google::protobuf::Message& request) {
  quota::Account* const account = session()->account().get();
  // Whoever has used up the quota is told what it is.
  if (account == nullptr || request.GetDescriptor() == v1::GetQuotaRequest::descriptor()) return base::Ok();
  auto taken = account->Take(quota::Count::kWaitingCalls, places_);
  if (!taken.ok()) return std::move(taken).error();
  place_ = *std::move(taken);
  return base::Ok();
}

base::Status CallScope::EnterOwn() {
  auto session = NamedSession();
  if (!session.ok()) return std::move(session).error();
  auto entered = Enter(*session);
  if (entered.ok()) own_session_ = *session;
  return entered;
}

base::Result<registry::SessionPtr> CallScope::NamedSession() const {
  if (!names_session_) return core_.sessions.Standing(caller_.identity);
  const auto [first, end] = context_.client_metadata().equal_range(kSessionMetadata);
  if (std::next(first) != end) return base::InvalidField(kSessionMetadata, "several", "one session, sessions/{id}");
  auto id = SessionIdOf(std::string(first->second.data(), first->second.size()), kSessionMetadata);
  if (!id.ok()) return std::move(id).error();
  return core_.sessions.Find(caller_.identity, *id);
}

base::Status CallScope::Enter(const registry::SessionPtr& session) {
  if (std::ranges::find(sessions_, session) != sessions_.end()) return base::Ok();
  if (!session->Hold(id_, Holder())) {
    return base::SessionGone(session->id(), registry::CloseReasonWord(session->ended()));
  }
  session->Renew(began_);
  LeaveStanding();
  sessions_.push_back(session);
  return base::Ok();
}

void CallScope::LeaveStanding() {
  if (!names_session_ && !sessions_.empty()) sessions_.front()->Release(id_);
}

base::Status CallScope::EnterSocket(const registry::RecordPtr& socket, registry::Access need) {
  if (socket->owner() != caller_.identity) {
    auto actor = std::make_shared<net::Actor>();
    actor->identity = caller_.identity;
    actor->account = session()->account();
    const auto cancel = [actor, cancellation = cancellation_](const base::Error& why) {
      actor->withdrawn.store(true);  // also where something else cancels the call just now, on another thread
      cancellation->Cancel(why);
    };
    if (auto status = core_.registry.Enter(socket, caller_.identity, need, id_, cancel); !status.ok()) return status;
    actor_ = std::move(actor);
    socket_ = socket;
    return base::Ok();
  }
  auto session = core_.registry.Hold(socket, id_, Holder());
  if (!session.ok()) return std::move(session).error();
  (*session)->Renew(began_);
  LeaveStanding();
  socket_ = socket;
  return base::Ok();
}

registry::Session::Holder CallScope::Holder() const {
  return {.connection = caller_.connection,
          .end =
              [cancellation = cancellation_](const registry::Session& ended) {
                cancellation->Cancel(base::SessionEnded(ended.name(), registry::CloseReasonWord(ended.ended())));
              },
          .unproven = {cancellation_, &cancellation_->unproven()}};
}

void CallScope::CancelOnDrain() {
  has_drain_hook_ = true;
  core_.drain_hooks.Add(id_, [cancellation = cancellation_] { cancellation->Cancel(base::Draining()); });
  if (core_.draining.load()) cancellation_->Cancel(base::Draining());  // it had begun before the hook was there
}

}  // namespace socketeer::rpc
