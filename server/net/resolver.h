// Names to addresses, with getaddrinfo(3), on threads of its own: it blocks, and the loops must not.
//
// Nobody keeps others from it: identities take turns, and each has a part of the threads and of the places at most. A
// name server that never answers holds up those who ask it; it takes four of them to hold up all. Thread-safe.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "server/base/limits.h"
#include "server/base/result.h"
#include "server/base/worker_pool.h"
#include "server/net/address.h"

namespace socketeer::net {

class Resolver {
 public:
  struct Query {
    std::string host;
    uint16_t port = 0;
    int family = 0;              // AF_UNSPEC: any
    int type = 0;                // SOCK_STREAM, SOCK_DGRAM
    bool both_families = false;  // AF_INET6: if there is no IPv6 address, IPv4 ones in their mapped form
  };
  // At least one address, in getaddrinfo's order, without repetitions. NAME_NOT_RESOLVED.
  using Answer = base::Result<std::vector<SocketAddress>>;
  // May block. On a thread of ours, several at once.
  using Ask = std::function<Answer(const Query&)>;
  static Answer AskSystem(const Query& query);

  // Who waits: a caller, and which of his calls, one query at a time.
  struct Asker {
    std::string identity;
    uint64_t call = 0;
  };
  // `limits`: max_resolutions, max_resolutions_per_identity.
  explicit Resolver(const base::Limits& limits, Ask ask = AskSystem,
                    uint32_t threads_per_identity = base::kResolverThreadsPerIdentity,
                    uint32_t threads = base::kResolverThreads);
  // Waits for what is being asked, and answers to that; who still waits gets no answer.
  ~Resolver();
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  // What is an address in any of the forms that getaddrinfo takes ("127.1", "fe80::1%eth0"): asks nobody, and waits for
  // nobody. Absent: it is a name.
  static std::optional<Answer> Numeric(const Query& query);

  // `done` runs on another thread, or at once when a limit is reached.
  using Done = absl::AnyInvocable<void(Answer) &&>;
  void Resolve(const Asker& asker, Query query, Done done);
  // The call has ended. If its query still waits, it leaves the queue, and `done` never runs. One that is being asked
  // keeps its place until getaddrinfo returns, which nothing can end.
  void Forget(const Asker& asker);

 private:
  struct Waiting {
    uint64_t call;
    Query query;
    Done done;
  };
  // What one identity asks. There while it waits or is being asked.
  struct Lane {
    std::deque<Waiting> waiting;
    uint32_t asking = 0;
    bool has_turn = false;  // it is in turns_
  };
  using Lanes = std::map<std::string, Lane>;

  // With mutex_ held.
  std::optional<base::Error> Refusal(const std::string& identity) const;
  std::optional<std::pair<Lanes::iterator, Waiting>> TakeNext();
  void Settle(Lanes::iterator lane);

  void Work();

  const uint32_t max_places_;
  const uint32_t max_places_per_identity_;
  const uint32_t max_asking_per_identity_;
  const uint32_t max_workers_;
  const Ask ask_;
  std::mutex mutex_;  // guards all below but pool_
  Lanes lanes_;
  std::deque<Lanes::iterator> turns_;  // those that may ask, in the order in which they will
  uint32_t places_ = 0;                // waiting and asking, of all
  uint32_t workers_ = 0;               // threads that work, or are about to
  bool stopping_ = false;
  base::WorkerPool pool_;  // last: its threads use the rest
};

}  // namespace socketeer::net
