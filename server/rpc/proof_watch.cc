#include "server/rpc/proof_watch.h"

#include <utility>
#include <vector>

namespace socketeer::rpc {

void ProofWatch::Add(uint64_t call, BasisPtr basis, std::shared_ptr<Cancellation> cancellation, Keep keep) {
  std::lock_guard lock(mutex_);
  watched_.emplace(
      call, Watched{.basis = std::move(basis), .cancellation = std::move(cancellation), .keep = std::move(keep)});
}

void ProofWatch::Remove(uint64_t call) {
  std::lock_guard lock(mutex_);
  watched_.erase(call);
}

void ProofWatch::End(const std::function<std::optional<base::Error>(const Basis&)>& why) {
  const base::MonotonicTime now = clock_.Now();
  std::vector<std::pair<uint64_t, BasisPtr>> all;
  {
    std::lock_guard lock(mutex_);
    for (const auto& [call, watched] : watched_) {
      if (!watched.told) all.emplace_back(call, watched.basis);
    }
  }
  // Without the mutex: to look at a certificate takes a while.
  for (const auto& [call, basis] : all) {
    if (auto error = why(*basis)) Tell(call, *std::move(error), now);
  }
}

void ProofWatch::Tell(uint64_t call, base::Error why, base::MonotonicTime now) {
  std::shared_ptr<Cancellation> cancellation;
  {
    std::lock_guard lock(mutex_);
    const auto found = watched_.find(call);
    if (found == watched_.end() || found->second.told) return;
    found->second.told = now;
    cancellation = found->second.cancellation;
  }
  cancellation->EndProof(std::move(why));
}

void ProofWatch::CutOff() {
  const base::MonotonicTime now = clock_.Now();
  std::vector<Cut> cuts;
  {
    std::lock_guard lock(mutex_);
    for (const auto& [call, watched] : watched_) {
      if (watched.told && now - *watched.told >= kEndingLimit) cuts.push_back(watched.keep());
    }
  }
  for (const Cut& cut : cuts) cut();  // may end the call on this thread, and so come to Remove()
}

}  // namespace socketeer::rpc
