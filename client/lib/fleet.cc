#include "socketeer/fleet.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>

#include "absl/time/clock.h"
#include "client/lib/connection.h"
#include "socketeer/status_macros.h"

namespace socketeer {
namespace {

constexpr int kMaxHostsAtOnce = 1'000;

Fleet::Connector ConnectorFor(const HostOptions& options) {
  return [options](const HostEntry& entry) -> absl::StatusOr<Host> {
    HostOptions own = options;
    SOCKETEER_ASSIGN_OR_RETURN(own.credentials, ReadCredentials(entry.credentials));
    return Host::Connect(entry.address, std::move(own));
  };
}

bool IsCancelled(Cancellation* cancellation) {
  return cancellation != nullptr && cancellation->AwaitCancel(absl::ZeroDuration());
}

// Runs `work` here and, as far as there are threads to be had, on others besides; returns when all have ended.
void RunOnThreads(size_t count, const std::function<void()>& work) {
  std::vector<std::thread> others;
  try {
    while (others.size() + 1 < count) others.emplace_back(work);
  } catch (const std::system_error&) {
    // The process may have no more: those that there are do it all.
  }
  work();
  for (std::thread& other : others) other.join();
}

}  // namespace

struct Fleet::State {
  // The connection of hosts[index], made now if there is none.
  absl::StatusOr<Host> Connect(size_t index) {
    {
      const std::lock_guard<std::mutex> lock(mutex);
      if (kept[index].has_value()) return *kept[index];
    }
    absl::StatusOr<Host> made = connector(hosts[index]);
    if (!made.ok() || !options.keep_connections) return made;
    const std::lock_guard<std::mutex> lock(mutex);
    if (!kept[index].has_value()) kept[index] = *std::move(made);
    return *kept[index];
  }

  const std::vector<HostEntry> hosts;
  const Connector connector;
  const FleetOptions options;
  std::mutex mutex{};
  std::vector<std::optional<Host>> kept{};  // one for each of hosts; under the mutex
};

Fleet::Fleet(std::vector<HostEntry> hosts, FleetOptions options)
    : Fleet(std::move(hosts), ConnectorFor(options.host), options) {}

Fleet::Fleet(std::vector<HostEntry> hosts, Connector connector, FleetOptions options)
    : state_(new State{std::move(hosts), std::move(connector), std::move(options)}) {
  state_->kept.resize(state_->hosts.size());
}

Fleet::Fleet(Fleet&& other) noexcept = default;
Fleet& Fleet::operator=(Fleet&& other) noexcept = default;
Fleet::~Fleet() = default;

const std::vector<HostEntry>& Fleet::hosts() const { return state_->hosts; }

void Fleet::Run(const CallOptions& options, const Turn& turn) const {
  const CancellationScope under_way(options.cancellation, [] {});  // also between calls
  std::atomic<size_t> next{0};
  const auto take_turns = [&] {
    for (size_t index = next++; index < hosts().size(); index = next++) {
      if (IsCancelled(options.cancellation)) return;
      CallOptions calls = options;
      calls.deadline = std::min(options.deadline, absl::Now() + state_->options.time_per_host);
      turn(index, state_->Connect(index), calls);
    }
  };
  const int at_once = std::clamp(state_->options.hosts_at_once, 1, kMaxHostsAtOnce);
  RunOnThreads(std::min(static_cast<size_t>(at_once), hosts().size()), take_turns);
}

}  // namespace socketeer
