#include "server/rpc/leases.h"

#include <algorithm>
#include <atomic>
#include <memory>
#include <utility>
#include <vector>

namespace socketeer::rpc {
namespace {

// How often a session is looked at: its lease is known this well, and a connection's death is seen within it.
constexpr int kLooksPerLease = 8;
constexpr std::chrono::nanoseconds kShortestPause = std::chrono::milliseconds(1);
constexpr std::chrono::nanoseconds kLongestPause = std::chrono::seconds(5);
std::chrono::nanoseconds PauseFor(std::chrono::nanoseconds ttl) {
  return std::clamp(ttl / kLooksPerLease, kShortestPause, kLongestPause);
}

// Runs `task` for each socket on its thread, and `then` when each has called its `done`, on any thread; at once if
// there is none.
using Each = std::function<void(net::Shard&, net::SocketHandle, std::function<void()> done)>;
void OnEach(const std::vector<registry::RecordPtr>& records, const Each& task, std::function<void()> then) {
  struct Left {
    Left(size_t all, std::function<void()> last) : count(all), then(std::move(last)) {}
    std::atomic<size_t> count;
    std::function<void()> then;
  };
  const auto left = std::make_shared<Left>(records.size() + 1, std::move(then));
  const auto one_less = [left] {
    if (left->count.fetch_sub(1) == 1) left->then();
  };
  for (const registry::RecordPtr& record : records) {
    record->shard().Post([record, task, one_less] { task(record->shard(), record->handle(), one_less); });
  }
  one_less();
}

}  // namespace

bool EndSession(Core& core, const registry::SessionPtr& session, registry::CloseReason why,
                std::function<void(uint32_t closed)> done, const registry::Closer* by) {
  auto holders = core.sessions.End(session, why);
  if (!holders) return false;
  core.values.EndSession(*session);
  auto records = core.registry.WillCloseAll(*session);
  core.trail.TellOfSessionEnd(*session, records.size(), by);
  const base::Error error = base::SocketClosedWhileWaiting(CloseReasonWord(why));
  // First all waiting ends, then sockets close: what one loop closes, calls on another would take for the network's
  // doing.
  OnEach(
      records,
      [error](net::Shard& shard, net::SocketHandle handle, std::function<void()> ended) {
        if (net::Socket* const socket = shard.Find(handle)) socket->EndWaiting(error);
        ended();
      },
      [=, holders = *std::move(holders), done = std::move(done)] {
        // What waits on a socket has ended with that; whatever else is in the session ends now.
        for (const auto& end : holders) end(*session);
        OnEach(
            records,
            [error, why](net::Shard& shard, net::SocketHandle handle, std::function<void()> closed) {
              // Nobody is there to wait for one that lingers, and it would keep its port.
              if (why == registry::CloseReason::kLeaseExpired) shard.DoNotLinger(handle);
              shard.Close(handle, error, std::move(closed));
            },
            [done, count = static_cast<uint32_t>(records.size())] { done(count); });
      });
  return true;
}

void Leases::LookSoonEnoughFor(std::chrono::nanoseconds ttl) {
  core_.control.Post([this, ttl] {
    const base::MonotonicTime when = core_.clock.Now() + PauseFor(ttl);
    if (timer_ != 0 && due_ <= when) return;
    core_.control.CancelTimer(timer_);
    TickAt(when);
  });
}

void Leases::TickAt(base::MonotonicTime when) {
  due_ = when;
  timer_ = core_.control.RunAt(when, [this] { Tick(); });
}

void Leases::Tick() {
  const base::MonotonicTime now = core_.clock.Now();
  // The daemon was stopped, or starved: what was sent to it meanwhile has not been read yet.
  const auto late = now - due_;
  auto pause = kLongestPause;
  for (const registry::SessionPtr& session : core_.sessions.All()) {
    LookAfter(session, now, late);
    pause = std::min({pause, PauseFor(session->terms().ttl),
                      std::max<std::chrono::nanoseconds>(session->Over() - now, kShortestPause)});
  }
  TickAt(now + pause);
}

void Leases::LookAfter(const registry::SessionPtr& session, base::MonotonicTime now, std::chrono::nanoseconds late) {
  if (late >= session->terms().ttl / 2) session->Renew(now);
  for (const uint64_t connection : session->connections()) {
    if (const auto heard = core_.connections.Heard(connection)) session->Renew(*heard);
  }
  if (session->Over() > now) return;
  EndSession(core_, session, registry::CloseReason::kLeaseExpired, [](uint32_t) {});
}

}  // namespace socketeer::rpc
