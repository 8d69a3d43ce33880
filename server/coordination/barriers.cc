#include "server/coordination/barriers.h"

#include <algorithm>

namespace socketeer::coordination {

base::Status Barriers::Check(const Barrier& barrier, const Arrival& arrival) {
  const std::string& id = arrival.barrier.id;
  if (arrival.generation != 0 && arrival.generation != barrier.generation) {
    if (barrier.broken && barrier.broken->generation == arrival.generation) {
      return base::BarrierBroken(id, *barrier.broken);
    }
    return base::BarrierGeneration(id, arrival.generation, barrier.generation);
  }
  if (barrier.there.empty()) return base::Ok();
  if (barrier.all != arrival.parties) return base::BarrierPartiesDiffer(id, arrival.parties, barrier.all);
  const bool twice = !arrival.party.empty() && std::ranges::any_of(barrier.there, [&](const Party& party) {
    return party.name == arrival.party;
  });
  return twice ? base::Status(base::BarrierPartyExists(id, arrival.party)) : base::Ok();
}

base::Status Barriers::Arrive(const Arrival& arrival, Told told) {
  std::vector<Party> passed;
  Standing standing;
  {
    std::lock_guard lock(mutex_);
    const auto [found, is_new] = barriers_.try_emplace(arrival.barrier);
    Barrier& barrier = found->second;
    if (is_new) Rest(found->first, barrier);
    if (auto status = Check(barrier, arrival); !status.ok()) {
      if (is_new) {
        idle_.erase(barrier.idle);
        barriers_.erase(found);
      }
      return status;
    }
    if (barrier.there.empty()) idle_.erase(barrier.idle);
    barrier.all = arrival.parties;
    barrier.there.push_back({.caller = arrival.caller, .name = arrival.party, .told = std::move(told)});
    ++waiting_;
    if (barrier.there.size() < barrier.all) return base::Ok();
    standing = {.generation = barrier.generation, .arrived = barrier.all};
    passed = EndGeneration(found->first, barrier);
  }
  for (const Party& party : passed) {
    party.told(standing);
    ++standing.index;
  }
  return base::Ok();
}

std::optional<Standing> Barriers::Leave(const BarrierKey& key, uint64_t caller, const std::string& why) {
  std::vector<Party> others;
  base::BarrierBreak broken;
  Standing left;
  {
    std::lock_guard lock(mutex_);
    const auto found = barriers_.find(key);
    if (found == barriers_.end()) return std::nullopt;
    Barrier& barrier = found->second;
    const auto party = std::ranges::find(barrier.there, caller, &Party::caller);
    if (party == barrier.there.end()) return std::nullopt;
    left = {.generation = barrier.generation,
            .index = static_cast<uint32_t>(party - barrier.there.begin()),
            .arrived = static_cast<uint32_t>(barrier.there.size())};
    broken = {.generation = left.generation,
              .arrived = left.arrived,
              .parties = barrier.all,
              .why = why,
              .party = party->name};
    barrier.broken = broken;
    others = EndGeneration(found->first, barrier);
  }
  const base::Error error = why == "DRAINING" ? base::Draining() : base::BarrierBroken(key.id, broken);
  for (const Party& party : others) {
    if (party.caller != caller) party.told(error);
  }
  return left;
}

std::vector<Barriers::Party> Barriers::EndGeneration(const BarrierKey& key, Barrier& barrier) {
  std::vector<Party> there;
  there.swap(barrier.there);
  waiting_ -= there.size();
  ++barrier.generation;
  Rest(key, barrier);  // last: it may be forgotten at once
  return there;
}

void Barriers::Rest(const BarrierKey& key, Barrier& barrier) {
  barrier.idle = idle_.insert(idle_.end(), key);
  // One more than are remembered, so that the one that was added, which its caller still uses, stays.
  if (idle_.size() <= remembered_ + 1) return;
  barriers_.erase(idle_.front());
  idle_.pop_front();
}

size_t Barriers::waiting() const {
  std::lock_guard lock(mutex_);
  return waiting_;
}

size_t Barriers::size() const {
  std::lock_guard lock(mutex_);
  return barriers_.size();
}

}  // namespace socketeer::coordination
