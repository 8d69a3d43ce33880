// How many sockets there are, by what they are.
#include <utility>

#include "server/registry/registry.h"

namespace socketeer::registry {
namespace {

// So many are looked at in one go: some tens of microseconds.
constexpr int kCountedAtOnce = 256;

}  // namespace

Census Registry::Count() const {
  Census census;
  std::string last;
  for (bool more = true; more;) {
    std::lock_guard lock(mutex_);
    auto next = sockets_.upper_bound(last);
    for (int i = 0; i < kCountedAtOnce && next != sockets_.end(); ++i, ++next) {
      const Record& record = *next->second;
      last = next->first;
      if (record.phase_ != Record::Phase::kPublished) continue;
      const net::SocketInfo& info = record.content_->info;
      ++census.sockets[{info.kind.Word(), info.state}];
      census.waiting_reads += record.gauges_.waiting_reads.load(std::memory_order_relaxed);
      census.waiting_writes += record.gauges_.waiting_writes.load(std::memory_order_relaxed);
    }
    more = next != sockets_.end();
  }
  return census;
}

}  // namespace socketeer::registry
