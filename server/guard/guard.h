// The policy in force: judges what sockets are about to do, and keeps callers off the daemon's own control sockets.
//
// Thread-safe. Outlives the registry, whose records ask it for their owners.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "server/base/counters.h"
#include "server/base/result.h"
#include "server/net/permit.h"
#include "server/net/socket_info.h"
#include "server/policy/policy.h"

namespace socketeer::guard {

using PolicyPtr = std::shared_ptr<const policy::Policy>;

// What was, or would have been, denied.
struct Denial {
  std::string identity;
  std::string request;  // "connect tcp:10.0.0.1:80"
  std::string rule;     // or "no rule matches"
};

// How often it was decided so. What was allowed just before is not asked again, and not counted again.
struct Decisions {
  base::Counter allowed;
  base::Counter denied;
  base::Counter shadow_denied;   // mode shadow: it was let pass
  base::Counter control_denied;  // to one of the daemon's own addresses; with a policy or without
};

class Guard {
 public:
  // Gets each denial that a policy in mode shadow would have made; on any thread, without a lock held.
  using Tell = std::function<void(const Denial& denial)>;
  explicit Guard(Tell tell = [](const Denial&) {}) : tell_(std::move(tell)) {}

  // From now on it is in force, for open sockets too: each of their next acts is judged by it.
  void Enforce(PolicyPtr policy);
  // The daemon is called there. Before it serves. An error: its file cannot be looked at.
  base::Status KeepOff(const net::SocketAddress& control);
  // The same of a UNIX socket to which the daemon itself sends datagrams, and that believes it: a service manager's.
  base::Status KeepDatagramsOff(const net::SocketAddress& supervisor);

  // See net::SocketObserver: 0 without a policy.
  uint64_t terms() const { return terms_.load(std::memory_order_acquire); }
  // POLICY_DENIED.
  base::Status Judge(const std::string& identity, const net::Demand& demand);
  // To resolve the name of a host.
  base::Status JudgeName(const std::string& identity, const std::string& host);
  // To see what another identity shares with everybody, and to meet it.
  base::Status JudgeToObserve(const std::string& identity);
  // Any thread.
  const Decisions& decisions() const { return decisions_; }

 private:
  struct Control {
    net::SocketAddress address;
    dev_t device = 0;  // of a UNIX path: the socket's file
    ino_t inode = 0;
    bool takes_datagrams = false;
  };

  // `given`: the question as an error tells it.
  base::Status Decide(const policy::Request& request, const std::function<std::string()>& given);
  base::Status Keep(Control own);
  bool IsControl(const net::Place& place, bool takes_datagrams) const;

  const Tell tell_;
  std::vector<Control> controls_;  // constant once the daemon serves
  std::atomic<uint64_t> terms_{0};
  std::mutex mutex_;  // guards policy_
  PolicyPtr policy_;
  Decisions decisions_;
};

}  // namespace socketeer::guard
