// Names to addresses, with getaddrinfo(3), on threads of its own: it blocks, and the loops must not. Thread-safe.
#pragma once

#include <atomic>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "server/base/result.h"
#include "server/base/worker_pool.h"
#include "server/net/address.h"

namespace socketeer::net {

class Resolver {
 public:
  // `max_pending`: resolutions at once; the next one gets LIMIT_REACHED max_resolutions.
  Resolver(size_t max_threads, uint32_t max_pending) : max_pending_(max_pending), pool_(max_threads) {}

  struct Query {
    std::string host;
    uint16_t port = 0;
    int family = 0;              // AF_UNSPEC: any
    int type = 0;                // SOCK_STREAM, SOCK_DGRAM
    bool both_families = false;  // AF_INET6: if there is no IPv6 address, IPv4 ones in their mapped form
  };
  // At least one address, in getaddrinfo's order, without repetitions. NAME_NOT_RESOLVED.
  using Done = absl::AnyInvocable<void(base::Result<std::vector<SocketAddress>>) &&>;
  // `done` runs on another thread, or at once when the limit is reached.
  void Resolve(Query query, Done done);

 private:
  static base::Result<std::vector<SocketAddress>> Ask(const Query& query);

  const uint32_t max_pending_;
  std::atomic<uint32_t> pending_{0};
  base::WorkerPool pool_;  // last: its threads use the rest
};

}  // namespace socketeer::net
