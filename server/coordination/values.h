// Published values: a few bytes by a name, which live in a session of their owner.
//
// Thread-safe: one mutex, never held over a callback.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "server/base/clock.h"
#include "server/base/limits.h"
#include "server/base/result.h"
#include "server/registry/session.h"

namespace socketeer::coordination {

// Never changes: what is published in its place is another.
struct Value {
  std::string id;
  registry::SessionPtr session;  // whose owner is the value's
  std::string data;
  uint64_t revision = 0;
  bool shared = false;  // everybody sees it
  base::WallTime publish_time{};

  const std::string& owner() const { return session->owner(); }
};
using ValuePtr = std::shared_ptr<const Value>;

// Which value is meant, and by whom.
struct Wanted {
  std::string id;
  std::string identity;         // of the caller
  std::string owner = {};       // only this one's; "": whoever's
  uint64_t after_revision = 0;  // only a later one
};

class Values {
 public:
  // `clock` must outlive this.
  Values(const base::Limits& limits, const base::Clock& clock) : limits_(limits), clock_(clock) {}

  // In place of the owner's value of that name, in whichever session that was. Tells those who wait for it, before it
  // returns. Errors: SESSION_ENDED, VALUE_EXISTS, LIMIT_REACHED max_values, max_values_per_identity.
  base::Result<ValuePtr> Publish(const registry::SessionPtr& session, const std::string& id, std::string data,
                                 bool shared);
  // `revision`: only if it is still that one; 0: whichever it is. Errors: VALUE_NOT_FOUND.
  base::Result<ValuePtr> Withdraw(const std::string& owner, const std::string& id, uint64_t revision = 0);
  // Ends all that live in it. It has ended: nothing is published in it any more.
  void EndSession(const registry::Session& session);

  // Null: there is none, or the caller does not see it.
  ValuePtr Find(const Wanted& wanted) const;
  // The same, and if there is none, `appeared` gets it, once, unless StopWaiting() is first; on the thread of whoever
  // publishes. `waiter` is unique.
  using Appeared = std::function<void(ValuePtr)>;
  ValuePtr FindOrWait(const Wanted& wanted, uint64_t waiter, Appeared appeared);
  // False: it does not wait any more; it has been told, or is just being told.
  bool StopWaiting(const std::string& id, uint64_t waiter);
  // Up to `limit` of those that `identity` sees, by id, after the id `after`; of others only with `with_shared`. The
  // flag: there are more.
  std::pair<std::vector<ValuePtr>, bool> List(const std::string& identity, bool with_shared, const std::string& after,
                                              size_t limit) const;

  size_t size() const;

 private:
  struct Waiter {
    Wanted wanted;
    Appeared appeared;
  };

  static bool Fits(const Value& value, const Wanted& wanted);
  ValuePtr FindLocked(const Wanted& wanted) const;
  base::Status Check(const registry::Session& session, const std::string& id) const;
  std::vector<Appeared> TakeWaiters(const Value& value);

  const base::Limits limits_;
  const base::Clock& clock_;
  mutable std::mutex mutex_;  // guards all below
  std::map<std::string, ValuePtr> values_;
  std::map<std::string, uint32_t> of_identity_;  // how many; none that has none
  std::map<std::pair<std::string, uint64_t>, Waiter> waiters_;
  uint64_t revision_ = 0;  // of the last one that was published
};

}  // namespace socketeer::coordination
