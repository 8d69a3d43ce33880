// Every session of the daemon, by identity and id. Thread-safe: one mutex, never held over a callback.
#pragma once

#include <array>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "server/base/counters.h"
#include "server/base/limits.h"
#include "server/base/result.h"
#include "server/quota/quotas.h"
#include "server/registry/session.h"

namespace socketeer::registry {

// The id of the session of a caller that names none.
inline constexpr char kStandingId[] = "standing";

// Since it was made.
struct SessionCounters {
  base::Counter created;                           // standing ones too
  std::array<base::Counter, kCloseReasons> ended;  // by CloseReason
};

class Sessions {
 public:
  // `clock` and `quotas` must outlive this. Without quotas nothing is counted for its owner.
  Sessions(const base::Limits& limits, const base::Clock& clock, quota::Quotas* quotas = nullptr)
      : limits_(limits), clock_(clock), quotas_(quotas) {}

  // An empty id asks for a random one. Errors: INVALID_FIELD "session_id", SESSION_EXISTS, LIMIT_REACHED max_sessions,
  // quota.sessions.
  base::Result<SessionPtr> Create(const std::string& owner, const std::string& id, Terms terms);
  // Errors: SESSION_NOT_FOUND, SESSION_ENDED.
  base::Result<SessionPtr> Find(const std::string& owner, const std::string& id);
  // Made when there is none; beyond the limit, for each identity has one.
  SessionPtr Standing(const std::string& owner);
  // `told` gets each standing session that is made. Before there is any.
  void TellStanding(std::function<void(const Session&)> told) { told_ = std::move(told); }
  // Up to `limit` of `owner`, by id, after the id `after`. The flag: there are more.
  std::pair<std::vector<SessionPtr>, bool> List(const std::string& owner, const std::string& after, size_t limit);
  std::vector<SessionPtr> All() const;

  // Its name is free and nobody gets in any more. What its holders left to be run for that; absent: it had ended
  // before.
  std::optional<std::vector<Session::Ender>> End(const SessionPtr& session, CloseReason why);

  size_t size() const;
  // Any thread.
  const SessionCounters& counters() const { return counters_; }

 private:
  using Key = std::pair<std::string, std::string>;  // owner, id
  SessionPtr Make(const std::string& owner, const std::string& id, Terms terms, quota::AccountPtr account,
                  quota::Hold place);
  quota::AccountPtr AccountOf(const std::string& owner) { return quotas_ == nullptr ? nullptr : quotas_->Of(owner); }
  void Remember(const Key& key, CloseReason why);

  const base::Limits limits_;
  const base::Clock& clock_;
  quota::Quotas* const quotas_;
  SessionCounters counters_;
  std::function<void(const Session&)> told_;  // may be null
  mutable std::mutex mutex_;                  // guards all below
  std::map<Key, SessionPtr> sessions_;
  size_t standing_ = 0;  // of them
  std::map<Key, CloseReason> ended_;
  std::deque<Key> ended_order_;
};

}  // namespace socketeer::registry
