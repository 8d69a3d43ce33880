// Barriers: so many parties wait until all have arrived, and then pass together.
//
// Thread-safe: one mutex, never held over a callback.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "server/base/limits.h"
#include "server/base/result.h"

namespace socketeer::coordination {

// Which barrier: of that identity, or, without one, of all.
struct BarrierKey {
  std::string identity;
  std::string id;

  friend auto operator<=>(const BarrierKey&, const BarrierKey&) = default;
};

struct Arrival {
  BarrierKey barrier;
  uint64_t caller = 0;  // whoever arrives, and may leave; unique
  uint32_t parties = 0;
  std::string party = {};   // "": it has no name
  uint64_t generation = 0;  // which it means; 0: whichever
};

// How far a generation has come.
struct Standing {
  uint64_t generation = 0;
  uint32_t index = 0;    // the party's, in the order of arrival
  uint32_t arrived = 0;  // it included
};

class Barriers {
 public:
  explicit Barriers(size_t remembered = base::kMaxBarriersRemembered) : remembered_(remembered) {}

  // Once for each that arrived and did not leave: all are there, or it is broken (BARRIER_BROKEN, or DRAINING if the
  // party that went was told that). On the thread of whoever arrived last, or left.
  using Told = std::function<void(base::Result<Standing>)>;
  // An error: it has not arrived, and changed nothing. BARRIER_PARTIES_DIFFER, BARRIER_PARTY_EXISTS,
  // BARRIER_GENERATION, BARRIER_BROKEN (the generation that it means).
  base::Status Arrive(const Arrival& arrival, Told told);
  // It goes, and so breaks the generation. `why`: the reason that its call ends with. Nullopt: it does not wait there
  // any more, and is told, or just being told, why.
  std::optional<Standing> Leave(const BarrierKey& barrier, uint64_t caller, const std::string& why);

  // Parties that wait, at all barriers.
  size_t waiting() const;
  // Barriers that are known, also those at which nobody waits.
  size_t size() const;

 private:
  struct Party {
    uint64_t caller;
    std::string name;
    Told told;
  };
  struct Barrier {
    uint64_t generation = 1;  // under way, or the next
    uint32_t all = 0;         // the parties of the generation under way
    std::vector<Party> there{};
    std::optional<base::BarrierBreak> broken{};  // the last time
    std::list<BarrierKey>::iterator idle{};      // its place among those at which nobody waits
  };

  // Nobody waits there any more: those who did, who are to be told outside of the mutex. `key` may be the map's own.
  std::vector<Party> EndGeneration(const BarrierKey& key, Barrier& barrier);
  void Rest(const BarrierKey& key, Barrier& barrier);
  static base::Status Check(const Barrier& barrier, const Arrival& arrival);

  const size_t remembered_;
  mutable std::mutex mutex_;  // guards all below
  std::map<BarrierKey, Barrier> barriers_;
  std::list<BarrierKey> idle_;  // the longest idle first
  size_t waiting_ = 0;
};

}  // namespace socketeer::coordination
