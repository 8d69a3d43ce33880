// What every call works with; made by Server, outlives every call.
#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <vector>

#include "server/base/clock.h"
#include "server/base/limits.h"
#include "server/coordination/barriers.h"
#include "server/coordination/values.h"
#include "server/guard/guard.h"
#include "server/net/resolver.h"
#include "server/net/shard.h"
#include "server/registry/registry.h"
#include "server/registry/sessions.h"
#include "server/rpc/call_counters.h"
#include "server/rpc/connections.h"
#include "server/rpc/drain_hooks.h"
#include "server/rpc/identities.h"
#include "server/rpc/trail.h"

namespace socketeer::rpc {

struct Core {
  const base::Limits limits;
  const base::Clock& clock;
  const base::MonotonicTime started;
  registry::Registry& registry;
  registry::Sessions& sessions;
  coordination::Barriers& barriers;
  coordination::Values& values;
  const std::vector<std::unique_ptr<net::Shard>>& shards;
  net::EventLoop& control;  // the loop that accepts callers; timers that belong to no socket run there
  net::Resolver& resolver;
  const net::RetainedBudget& retained;
  Connections& connections;
  Identities& identities;
  guard::Guard& guard;
  Trail& trail;

  const CallLog call_log;
  CallCounters counters{};
  std::atomic<bool> draining{false};
  std::atomic<uint32_t> calls{0};
  std::mutex idle_mutex{};
  std::condition_variable idle{};  // told while draining, when the last call has ended
  DrainHooks drain_hooks{};
  std::atomic<uint64_t> send_windows{0};  // of attached streams, in bytes
  std::atomic<uint32_t> next_shard{0};

  // Where the next socket will live: the shards take turns.
  net::Shard& PickShard() { return *shards[next_shard.fetch_add(1, std::memory_order_relaxed) % shards.size()]; }
};

}  // namespace socketeer::rpc
