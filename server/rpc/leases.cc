#include "server/rpc/leases.h"

#include <algorithm>
#include <atomic>
#include <memory>
#include <utility>

namespace socketeer::rpc {
namespace {

// How often a session is looked at: its lease is known this well, and a connection's death is seen within it.
constexpr int kLooksPerLease = 8;
constexpr std::chrono::nanoseconds kLongestPause = std::chrono::seconds(5);

}  // namespace

bool EndSession(Core& core, const registry::SessionPtr& session, registry::CloseReason why,
                std::function<void(uint32_t closed)> done) {
  const auto holders = core.sessions.End(session, why);
  if (!holders) return false;
  const auto records = core.registry.WillCloseAll(*session);
  const auto count = static_cast<uint32_t>(records.size());
  const auto left = std::make_shared<std::atomic<uint32_t>>(count + 1);
  const auto one_less = [left, count, done = std::move(done)] {
    if (left->fetch_sub(1) == 1) done(count);
  };
  for (const registry::RecordPtr& record : records) {
    net::Shard& shard = record->shard();
    shard.Post([&shard, record, one_less, word = CloseReasonWord(why)] {
      shard.Close(record->handle(), base::SocketClosedWhileWaiting(word), one_less);
    });
  }
  // Behind the closes: what waits on a socket ends because that is closed, whatever else is in the session ends now.
  for (const auto& end : *holders) end(*session);
  one_less();
  return true;
}

void Leases::Wake() {
  core_.control.Post([this] { Tick(); });
}

void Leases::Tick() {
  core_.control.CancelTimer(timer_);
  const base::MonotonicTime now = core_.clock.Now();
  // The daemon was stopped, or starved: what was sent to it meanwhile has not been read yet.
  const auto late = timer_ == 0 ? std::chrono::nanoseconds(0) : now - due_;
  auto pause = kLongestPause;
  for (const registry::SessionPtr& session : core_.sessions.All()) {
    LookAfter(session, now, late);
    const auto looks =
        std::max<std::chrono::nanoseconds>(session->terms().ttl / kLooksPerLease, std::chrono::milliseconds(1));
    pause = std::min(
        {pause, looks, std::max<std::chrono::nanoseconds>(session->Over() - now, std::chrono::milliseconds(1))});
  }
  due_ = now + pause;
  timer_ = core_.control.RunAt(due_, [this] { Tick(); });
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
