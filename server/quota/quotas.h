// Every identity's account, and the rules that say what each may use.
//
// Thread-safe. Outlives whoever asks for accounts; these may outlive it.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "server/base/clock.h"
#include "server/quota/account.h"

namespace socketeer::quota {

// Of the first rule that matches it an identity gets the allowance, each for itself; without one, all.
struct Rule {
  std::vector<std::string> identities;  // policy/glob.h
  Allowance allowance;
};

struct Rules {
  Allowance total;
  std::vector<Rule> rules;

  const Allowance& Of(const std::string& identity) const;
};

class Quotas {
 public:
  // The clock must outlive this and its accounts.
  explicit Quotas(const base::Clock& clock) : clock_(clock) {}

  // From now on, for those who have accounts too.
  void Enforce(Rules rules);
  // Made when there is none. One that nobody holds is forgotten sometime after nothing of it is in use, and its buckets
  // are full.
  AccountPtr Of(const std::string& identity);

  Pool& total() { return *total_; }
  size_t size() const;  // accounts that are known

 private:
  void ForgetIdle();

  const base::Clock& clock_;
  const std::shared_ptr<Pool> total_ = std::make_shared<Pool>("total");
  mutable std::mutex mutex_;  // guards all below
  Rules rules_;
  std::unordered_map<std::string, AccountPtr> accounts_;
  size_t look_at_ = 64;  // at so many, those that are idle are forgotten
};

}  // namespace socketeer::quota
