#include "server/rpc/await.h"

#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "server/rpc/convert.h"

namespace socketeer::rpc {
namespace {

struct Item {
  std::string id;
  std::string uid;
  net::Condition condition = net::Condition::kReadable;
  uint32_t readable_bytes = 0;
  bool allow_missing = false;
};

base::Result<Item> CheckItem(const v1::AwaitItem& given, const std::string& field) {
  auto id = SocketIdOf(given.name(), field + ".name");
  if (!id.ok()) return std::move(id).error();
  if (given.condition() < v1::CONDITION_LISTENING || given.condition() > v1::CONDITION_CLOSED) {
    return base::InvalidField(field + ".condition", std::to_string(given.condition()),
                              "CONDITION_LISTENING (1) to CONDITION_CLOSED (6)");
  }
  if (given.readable_bytes() != 0 && given.condition() != v1::CONDITION_READABLE) {
    return base::InvalidField(field + ".readable_bytes", std::to_string(given.readable_bytes()),
                              "0 unless condition is CONDITION_READABLE");
  }
  return Item{.id = *id,
              .uid = given.uid(),
              .condition = static_cast<net::Condition>(given.condition()),
              .readable_bytes = given.readable_bytes(),
              .allow_missing = given.allow_missing()};
}

// One AwaitSockets under way. Callbacks come from any shard, from whoever publishes a socket, from the control loop
// (time) and from gRPC (cancel); the first that decides ends the call, and every later one finds it ended. Each
// callback holds a reference.
class Await : public std::enable_shared_from_this<Await> {
 public:
  Await(Call& call, std::vector<Item> items, bool all, v1::AwaitSocketsResponse* response)
      : call_(call),
        core_(call.core()),
        identity_(call.identity()),
        all_(all),
        response_(response),
        unsettled_(items.size()) {
    for (Item& item : items) slots_.emplace_back().item = std::move(item);
  }

  void Start(std::optional<std::chrono::nanoseconds> timeout) {
    call_.SetCanceller([self = shared_from_this()] { self->End(base::Cancelled()); });
    if (timeout) {
      core_.control.Post([self = shared_from_this(), when = core_.clock.Now() + *timeout] {
        if (self->Ended()) return;
        self->timer_ = self->core_.control.RunAt(when, [self] { self->OnTime(); });
      });
    }
    for (size_t i = 0; i < slots_.size(); ++i) Arm(i);
  }

 private:
  // What is known of one item. Guarded by mutex_, but for the item.
  struct Slot {
    Item item;
    net::WaiterId waiter = 0;    // of the present wait
    registry::RecordPtr record;  // the socket it waits on; null: it waits for the name
    bool settled = false;        // it had its first look
    bool held = false;
    v1::Socket socket;  // as it was when it held
  };

  // Waits for the item's socket, or for its name.
  void Arm(size_t i) {
    const net::WaiterId waiter = net::Shard::NextId();
    {
      std::lock_guard lock(mutex_);
      if (ended_) return;
      slots_[i].waiter = waiter;
      slots_[i].record = nullptr;
    }
    const Item& item = slots_[i].item;
    registry::RecordPtr record;
    if (item.allow_missing) {
      record = core_.registry.FindOrWait(item.id, item.uid, identity_, waiter,
                                         [self = shared_from_this(), i](registry::RecordPtr appeared) {
                                           if (!appeared) return self->End(base::Draining());
                                           self->WaitOn(i, std::move(appeared));
                                         });
      if (!record) {
        if (Ended()) return core_.registry.StopWaiting(item.id, waiter);
        if (core_.draining.load()) return End(base::Draining());  // EndNameWaits() may have been before
        if (item.condition == net::Condition::kClosed && WasClosed(item)) {
          core_.registry.StopWaiting(item.id, waiter);
          return HoldClosed(i);
        }
        return Settle(i);
      }
    } else {
      auto found = core_.registry.Find(item.id, item.uid, identity_, registry::Access::kObserve);
      if (!found.ok()) return OnMissing(i, std::move(found).error());
      record = *std::move(found);
    }
    WaitOn(i, std::move(record));
  }

  bool WasClosed(const Item& item) {
    auto found = core_.registry.Find(item.id, item.uid, identity_, registry::Access::kObserve);
    return !found.ok() && found.error().reason == "SOCKET_CLOSED";
  }

  void OnMissing(size_t i, base::Error error) {
    const Item& item = slots_[i].item;
    if (error.reason == "SOCKET_CLOSED" && item.condition == net::Condition::kClosed) return HoldClosed(i);
    error.socket = "sockets/" + item.id;
    End(std::move(error));
  }

  // It was closed before the call.
  void HoldClosed(size_t i) {
    const Item& item = slots_[i].item;
    const auto closed = core_.registry.FindClosed(item.id, item.uid, identity_);
    if (!closed) return End(base::SocketNotFound(item.id));  // forgotten since
    v1::Socket socket;
    ToProto(*closed, &socket);
    Hold(i, std::move(socket));
  }

  void WaitOn(size_t i, registry::RecordPtr record) {
    net::WaiterId waiter;
    {
      std::lock_guard lock(mutex_);
      if (ended_) return;
      slots_[i].record = record;
      waiter = slots_[i].waiter;
    }
    if (!Enter(record, waiter)) return;
    net::Shard& shard = record->shard();
    shard.Post([self = shared_from_this(), i, record, waiter, &shard] {
      if (self->Ended()) return;
      net::Socket* const socket = shard.Find(record->handle());
      if (socket == nullptr) return self->OnResult(i, record, waiter, false);
      const Item& item = self->slots_[i].item;
      socket->AddWaiter({.id = waiter,
                         .condition = item.condition,
                         .readable_bytes = item.readable_bytes,
                         .done = [self, i, record, waiter](base::Result<const net::SocketInfo*> info) {
                           if (!info.ok()) return self->End(std::move(info).error());
                           self->OnResult(i, record, waiter, *info != nullptr);
                         }});
      self->Settle(i);
    });
  }

  // Until the call ends it may be told that the socket is no longer shared with the caller.
  bool Enter(const registry::RecordPtr& record, net::WaiterId waiter) {
    if (record->owner() == identity_) return true;
    const auto withdrawn = [self = shared_from_this()](const base::Error& why) { self->End(why); };
    auto entered = core_.registry.Enter(record, identity_, registry::Access::kObserve, waiter, withdrawn);
    if (!entered.ok()) {
      End(base::GrantWithdrawn(record->name()));
      return false;
    }
    if (Ended()) Leave(record, waiter);  // StopWaits() may have been before
    return true;
  }

  void Leave(const registry::RecordPtr& record, net::WaiterId waiter) {
    if (record->owner() != identity_) core_.registry.Leave(record, waiter);
  }

  // It held, or the socket was closed first.
  void OnResult(size_t i, const registry::RecordPtr& record, net::WaiterId waiter, bool held) {
    if (!held && slots_[i].item.condition != net::Condition::kClosed) {
      if (core_.draining.load()) return End(base::Draining());
      if (slots_[i].item.allow_missing) {
        Leave(record, waiter);
        return Arm(i);
      }
      base::Error error = base::SocketClosedWhileWaiting(CloseReasonWord(core_.registry.Look(record).close_reason));
      error.socket = record->name();
      return End(std::move(error));
    }
    const auto view = core_.registry.LookAs(record, identity_);
    if (!view) return End(base::GrantWithdrawn(record->name()));
    v1::Socket socket;
    ToProto(*view, &socket);
    Hold(i, std::move(socket));
  }

  void Hold(size_t i, v1::Socket socket) {
    {
      std::lock_guard lock(mutex_);
      if (ended_ || slots_[i].held) return;
      slots_[i].held = true;
      slots_[i].socket = std::move(socket);
    }
    Settle(i);
    EndIfEnough();
  }

  // The item had its first look. The call ends only when all had: so an answer names all that hold, as poll(2) does.
  void Settle(size_t i) {
    {
      std::lock_guard lock(mutex_);
      if (slots_[i].settled) return;
      slots_[i].settled = true;
      --unsettled_;
    }
    EndIfEnough();
  }

  void OnTime() {
    {
      std::lock_guard lock(mutex_);
      time_over_ = true;
      timer_ = 0;
    }
    EndIfEnough();
  }

  void EndIfEnough() {
    bool enough = false;
    {
      std::lock_guard lock(mutex_);
      if (ended_ || unsettled_ > 0) return;
      size_t held = 0;
      for (const Slot& slot : slots_) held += slot.held ? 1 : 0;
      enough = held >= (all_ ? slots_.size() : 1);
      if (!enough && !time_over_) return;
      ended_ = true;
      response_->set_timed_out(!enough);
      for (size_t i = 0; i < slots_.size(); ++i) {
        if (!slots_[i].held) continue;
        v1::AwaitResult* const result = response_->add_results();
        result->set_index(static_cast<uint32_t>(i));
        *result->mutable_socket() = std::move(slots_[i].socket);
      }
    }
    StopWaits();
    call_.Succeed(!enough);
  }

  void End(base::Error error) {
    {
      std::lock_guard lock(mutex_);
      if (std::exchange(ended_, true)) return;
    }
    StopWaits();
    call_.Fail(std::move(error));
  }

  bool Ended() {
    std::lock_guard lock(mutex_);
    return ended_;
  }

  // Precondition: ended_. Nobody changes the slots any more.
  void StopWaits() {
    call_.SetCanceller(nullptr);
    core_.control.Post([self = shared_from_this()] { self->core_.control.CancelTimer(self->timer_); });
    for (const Slot& slot : slots_) {
      if (slot.record) Leave(slot.record, slot.waiter);
      if (slot.held || slot.waiter == 0) continue;
      if (!slot.record) {
        core_.registry.StopWaiting(slot.item.id, slot.waiter);
        continue;
      }
      net::Shard& shard = slot.record->shard();
      shard.Post([&shard, handle = slot.record->handle(), waiter = slot.waiter] {
        if (net::Socket* const socket = shard.Find(handle)) socket->RemoveWaiter(waiter);
      });
    }
  }

  Call& call_;  // alive until ended_
  Core& core_;
  const std::string identity_;
  const bool all_;
  v1::AwaitSocketsResponse* const response_;  // the call's
  net::TimerId timer_ = 0;                    // on the control loop's thread

  std::mutex mutex_;  // guards all below; never held over a call to anything else
  std::vector<Slot> slots_;
  size_t unsettled_;
  bool time_over_ = false;
  bool ended_ = false;
};

}  // namespace

base::Status StartAwait(Call& call, const v1::AwaitSocketsRequest& request, v1::AwaitSocketsResponse* response) {
  const uint32_t most = call.core().limits.max_await_conditions;
  if (request.items().empty() || static_cast<uint32_t>(request.items_size()) > most) {
    return base::InvalidField("items", std::to_string(request.items_size()) + " items",
                              "1 to " + std::to_string(most) + " items");
  }
  auto timeout = TimeoutOf(request);
  if (!timeout.ok()) return std::move(timeout).error();
  std::vector<Item> items;
  for (int i = 0; i < request.items_size(); ++i) {
    auto item = CheckItem(request.items(i), "items[" + std::to_string(i) + "]");
    if (!item.ok()) return std::move(item).error();
    items.push_back(*std::move(item));
  }
  std::make_shared<Await>(call, std::move(items), request.all(), response)->Start(*timeout);
  return base::Ok();
}

}  // namespace socketeer::rpc
