// Many daemons, driven from one place.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <type_traits>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "socketeer/call_options.h"
#include "socketeer/host.h"
#include "socketeer/hosts_file.h"

namespace socketeer {

struct FleetOptions {
  // For every host. What it has of credentials does not count: each host is shown its entry's.
  HostOptions host{};
  // How many hosts are asked at once, each by a thread of its own; 1 to 1,000. The others wait for their turn.
  int hosts_at_once = 64;
  // How long all calls of one ForEach to one host may take together, from its turn on: the deadline in the CallOptions
  // that the function is given.
  absl::Duration time_per_host = absl::InfiniteDuration();
  // Whether a connection stays for the next ForEach. If not it ends with its host's turn, and there are never more of
  // them than hosts_at_once.
  bool keep_connections = true;
};

// Hosts that are asked the same, at the same time. Thread-safe, and so are several ForEach at once; move-only, and
// moving and destruction need it for themselves.
//
//   auto hosts = socketeer::HostsFile::Load("hosts.yaml");
//   auto in_rack = hosts->Select({{"rack", "r1"}});
//   socketeer::Fleet fleet(*in_rack, {.time_per_host = absl::Seconds(5)});
//   auto answers = fleet.ForEach([](const HostEntry& entry, const Host& host, const CallOptions& calls) {
//     return host.List("state = LISTENING", calls);
//   });
//   for (size_t i = 0; i < answers.size(); ++i) Show(fleet.hosts()[i].name, answers[i]);
class Fleet {
 public:
  // Makes a Host of an entry; on the threads of ForEach, so for several hosts at once.
  using Connector = std::function<absl::StatusOr<Host>(const HostEntry&)>;

  // Reads no credentials and makes no connection yet: each host's turn does, with ReadCredentials and Host::Connect.
  explicit Fleet(std::vector<HostEntry> hosts, FleetOptions options = {});
  // The same with hosts that are made otherwise; of the options, `host` does not count.
  Fleet(std::vector<HostEntry> hosts, Connector connector, FleetOptions options = {});
  Fleet(Fleet&& other) noexcept;
  Fleet& operator=(Fleet&& other) noexcept;
  ~Fleet();

  // In the order of ForEach's answers.
  const std::vector<HostEntry>& hosts() const;

  // Calls `function(entry, host, calls)` once for each host, on at most hosts_at_once threads (fewer, if the machine
  // has no more), and returns when all are done. It returns an absl::Status or an absl::StatusOr, makes its calls with
  // `calls`, and throws nothing; several run at once. The answers are in the order of hosts(). One is an error
  //   of the function's own  for that host alone
  //   kArgument              when the host's credentials cannot be read or used; the function is not called
  //   kCancelled             when the options' cancellation was, before the host's turn; one that is under way it ends
  //                          through `calls`. Meanwhile Cancel() finds something under way
  // `calls` is `options` with the deadline of this host.
  template <typename Function>
  auto ForEach(const Function& function, const CallOptions& options = {}) const {
    using Answer = std::invoke_result_t<const Function&, const HostEntry&, const Host&, const CallOptions&>;
    std::vector<Answer> answers;
    answers.reserve(hosts().size());
    for (size_t i = 0; i < hosts().size(); ++i) answers.emplace_back(absl::CancelledError("cancelled"));
    Run(options, [&](size_t index, const absl::StatusOr<Host>& host, const CallOptions& calls) {
      answers[index] = host.ok() ? function(hosts()[index], *host, calls) : Answer(host.status());
    });
    return answers;
  }

 private:
  struct State;
  using Turn = std::function<void(size_t index, const absl::StatusOr<Host>& host, const CallOptions& calls)>;

  void Run(const CallOptions& options, const Turn& turn) const;

  std::unique_ptr<State> state_;
};

}  // namespace socketeer
