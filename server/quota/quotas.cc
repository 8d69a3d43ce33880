#include "server/quota/quotas.h"

#include <algorithm>
#include <utility>

#include "server/policy/glob.h"

namespace socketeer::quota {

const Allowance& Rules::Of(const std::string& identity) const {
  static const Allowance all;
  for (const Rule& rule : rules) {
    const auto matches = [&](const std::string& pattern) { return policy::Matches(pattern, identity); };
    if (std::any_of(rule.identities.begin(), rule.identities.end(), matches)) return rule.allowance;
  }
  return all;
}

void Quotas::Enforce(Rules rules) {
  const base::MonotonicTime now = clock_.Now();
  std::lock_guard lock(mutex_);
  rules_ = std::move(rules);
  total_->Set(rules_.total, now);
  for (const auto& [identity, account] : accounts_) account->own().Set(rules_.Of(identity), now);
}

AccountPtr Quotas::Of(const std::string& identity) {
  std::lock_guard lock(mutex_);
  if (const auto found = accounts_.find(identity); found != accounts_.end()) return found->second;
  if (accounts_.size() >= look_at_) ForgetIdle();
  auto made = std::make_shared<Account>(identity, total_, clock_);
  made->own().Set(rules_.Of(identity), clock_.Now());
  accounts_.emplace(identity, made);
  return made;
}

void Quotas::ForgetIdle() {
  // Whom only the map holds nobody can get hold of meanwhile.
  std::erase_if(accounts_, [](const auto& entry) { return entry.second.use_count() == 1 && entry.second->idle(); });
  look_at_ = std::max<size_t>(64, 2 * accounts_.size());
}

size_t Quotas::size() const {
  std::lock_guard lock(mutex_);
  return accounts_.size();
}

}  // namespace socketeer::quota
