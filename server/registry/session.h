// How long sockets live: one session of one identity, with its lease.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "server/base/clock.h"
#include "server/quota/account.h"
#include "server/registry/answers.h"

namespace socketeer::registry {

// Why a socket or a session ended; the numbers are socketeer.v1.CloseReason's.
enum class CloseReason { kNone = 0, kOwner = 1, kSessionEnded = 2, kLeaseExpired = 3, kDraining = 4 };
inline constexpr size_t kCloseReasons = 5;
// "OWNER": the word of socketeer.v1.CloseReason without its prefix.
const char* CloseReasonWord(CloseReason reason);

// The lease, and the time that sockets stay open after it.
struct Terms {
  std::chrono::nanoseconds ttl;
  std::chrono::nanoseconds grace;
};

// Thread-safe. Shared by Sessions, the sockets in it, and the calls under way in it.
class Session {
 public:
  Session(std::string id, std::string owner, Terms terms, base::WallTime create_time, base::MonotonicTime now,
          quota::AccountPtr account = nullptr, quota::Hold place = {});

  const std::string& id() const { return id_; }
  const std::string& name() const { return name_; }  // "sessions/{id}"
  const std::string& owner() const { return owner_; }
  const Terms& terms() const { return terms_; }
  base::WallTime create_time() const { return create_time_; }
  // What the owner may use, and uses; null: that is not counted.
  const quota::AccountPtr& account() const { return account_; }

  // The owner was alive then. Never goes back.
  void Renew(base::MonotonicTime alive);
  base::MonotonicTime Expires() const;                                   // the lease
  base::MonotonicTime Over() const { return Expires() + terms_.grace; }  // the grace time too

  // Whoever is in it now: a call or stream of the owner. `end` runs once, outside any mutex, when the session ends
  // first, perhaps while the holder is just leaving.
  using Ender = std::function<void(const Session&)>;
  struct Holder {
    uint64_t connection = 0;  // over which it came
    Ender end;
    // Once it is true, the connection is no longer the owner's, and no sign of his life; null: it always is.
    std::shared_ptr<const std::atomic<bool>> unproven = nullptr;
  };
  // For which socket it is in the session, and moves with it; null: for none.
  using Reason = const void*;
  // False: it has ended.
  bool Hold(uint64_t id, Holder holder, Reason socket = nullptr);
  void Release(uint64_t id, Reason socket = nullptr);
  // All that are in it for that socket are in the other one now. The `end`s of those that it did not let in: it has
  // ended.
  std::vector<Ender> MoveHolders(Reason socket, Session& to);
  size_t holders() const;  // each counts once
  // Those whose life is the owner's.
  std::set<uint64_t> connections() const;

  // From now on nobody gets in. The holders' `end`s; empty when it had ended before.
  std::vector<Ender> End(CloseReason why);
  CloseReason ended() const { return ended_.load(); }  // kNone: it has not

  std::atomic<uint32_t>& sockets() { return sockets_; }
  const std::atomic<uint32_t>& sockets() const { return sockets_; }
  Answers& answers() { return answers_; }

 private:
  const std::string id_;
  const std::string name_;
  const std::string owner_;
  const Terms terms_;
  const base::WallTime create_time_;
  const quota::AccountPtr account_;
  std::atomic<base::MonotonicTime> alive_;
  std::atomic<CloseReason> ended_{CloseReason::kNone};
  std::atomic<uint32_t> sockets_{0};  // counted by the registry
  Answers answers_;

  mutable std::mutex mutex_;
  std::map<std::pair<Reason, uint64_t>, Holder> holders_;  // guarded by mutex_
  quota::Hold place_;                                      // guarded by mutex_; among the owner's sessions
};

using SessionPtr = std::shared_ptr<Session>;

}  // namespace socketeer::registry
