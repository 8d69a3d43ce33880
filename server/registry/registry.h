// Every socket of the daemon by name: who owns it, where it lives, what it is, and what became of it.
//
// Thread-safe: one mutex, never held over a system call or a callback but the one of UpdateLabels().
// A caller sees its own sockets, and those that are shared with it; another
// looks as if it did not exist. The mutex of the policy's guard may be taken within this one, never the other way
// round. A change gets its revision and its place in the log of changes in one critical section with the change itself,
// so every watcher sees one order.
#pragma once

#include <array>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "server/base/clock.h"
#include "server/base/counters.h"
#include "server/base/limits.h"
#include "server/base/result.h"
#include "server/guard/guard.h"
#include "server/registry/change_log.h"
#include "server/registry/filter.h"
#include "server/registry/record.h"

namespace socketeer::registry {

// [a-z][a-z0-9-]{0,62}
bool IsSocketId(std::string_view id);

// Of published sockets, since the registry was made.
struct RegistryCounters {
  base::Counter opened;
  std::array<base::Counter, kCloseReasons> closed;  // by CloseReason
};

// What there is, as somebody who goes through it finds it.
struct Census {
  std::map<std::pair<std::string, net::State>, uint64_t> sockets;  // by SocketKind::Word() and state
  uint64_t waiting_reads = 0;
  uint64_t waiting_writes = 0;
};

class Registry {
 public:
  // `clock` and `guard` must outlive the registry. Without a guard everything is permitted.
  Registry(const base::Limits& limits, const base::Clock& clock, guard::Guard* guard = nullptr);

  // Takes the name for a socket that is about to be made; an empty id asks for a random one. Errors: INVALID_FIELD
  // "socket_id" or "labels", SOCKET_EXISTS, LIMIT_REACHED max_sockets, quota.sockets.
  base::Result<RecordPtr> Reserve(const std::string& id, const SessionPtr& session, Labels labels, net::Shard* shard,
                                  net::SocketHandle handle);
  // The socket is made: from now on it is seen, and those who waited for the name are told. `session`: where it will
  // live, if not where it was reserved for. SESSION_ENDED: that ended meanwhile; the maker must discard it.
  base::Status Publish(const RecordPtr& record, const SessionPtr& session = nullptr);
  // It was not made. No effect once it is published or gone.
  void Abandon(const RecordPtr& record);

  // `uid` may be empty. `need`: what `identity` must be allowed. Errors: SOCKET_NOT_FOUND, SOCKET_CLOSED, UID_MISMATCH,
  // GRANT_INSUFFICIENT.
  base::Result<RecordPtr> Find(const std::string& id, const std::string& uid, const std::string& identity,
                               Access need = Access::kUse);
  View Look(const RecordPtr& record);
  net::SocketKind KindOf(const RecordPtr& record);
  SessionPtr SessionOf(const RecordPtr& record);
  // holds.cc. Holds the session that the socket is in, which it answers with, and from then on whichever it is
  // transferred to. SESSION_ENDED.
  base::Result<SessionPtr> Hold(const RecordPtr& record, uint64_t id, Session::Holder holder);
  void Release(const RecordPtr& record, uint64_t id);
  // The last socket that was closed under this name, if it is remembered. `uid` may be empty.
  std::optional<View> FindClosed(const std::string& id, const std::string& uid, const std::string& identity);

  // Up to `limit` sockets that `identity` may see and that match, by name, after the id `after`. The flag: there are
  // more.
  std::pair<std::vector<View>, bool> List(const std::string& identity, const Filter& filter, const std::string& after,
                                          size_t limit);
  // `change` edits a copy, under the mutex; what comes out is checked.
  base::Result<View> UpdateLabels(const RecordPtr& record, const std::function<void(Labels&)>& change);
  // Errors: SOCKET_CLOSED, SESSION_ENDED.
  base::Result<View> Transfer(const RecordPtr& record, const SessionPtr& session);

  // sharing.cc. As the one whom it is shared with may see it, now; absent: he may not.
  std::optional<View> LookAs(const RecordPtr& record, const std::string& identity, bool with_grants = false);
  // Gives an identity that is not the owner access, in place of what it had; kNone takes it away. What it has under way
  // beyond that was told to end when this returns; what it does on the socket's loop is over when that has come to what
  // is posted behind. Errors: SOCKET_CLOSED, GRANT_NOT_FOUND, LIMIT_REACHED max_grants_per_socket.
  struct Shared {
    View view;          // the owner's, with all grants
    bool took = false;  // it may do less than before
  };
  base::Result<Shared> Share(const RecordPtr& record, const std::string& identity, Access access);
  // What `identity` needs it has, and `end` will run if that is withdrawn before Leave(); the owner's is not noted.
  // Errors: SOCKET_NOT_FOUND, GRANT_INSUFFICIENT.
  base::Status Enter(const RecordPtr& record, const std::string& identity, Access need, uint64_t id, Grants::Ender end);
  void Leave(const RecordPtr& record, uint64_t id);

  // Whoever closes says why, right before; the first one counts.
  void WillClose(const RecordPtr& record, CloseReason why, std::unique_ptr<const Closer> closer = nullptr);
  // `told` gets each published socket that is closed, on its shard's thread, and who closed it if that was said. Before
  // there is any.
  using Told = std::function<void(const View&, const Closer*)>;
  void TellClosed(Told told) { told_ = std::move(told); }
  // The sockets of a session that has ended, which are now to be closed. Those that are still being made are refused by
  // Publish().
  std::vector<RecordPtr> WillCloseAll(const Session& session);

  // The socket if it is there, else null, and `appeared` will run when it is published (on some shard's thread), or
  // shared with `identity` (on any).
  using Appeared = std::function<void(RecordPtr)>;
  RecordPtr FindOrWait(const std::string& id, const std::string& uid, const std::string& identity, net::WaiterId waiter,
                       Appeared appeared);
  void StopWaiting(const std::string& id, net::WaiterId waiter);
  // The daemon stops: everyone who waits for a name is told null.
  void EndNameWaits();

  // watch.cc. Every socket that `identity` may see as kSnapshot, with the revision at which this is the truth.
  std::pair<std::vector<Change>, uint64_t> Snapshot(const std::string& identity);
  // Up to `limit` changes that concern `identity` behind `*revision`, which moves on to what was looked at. Error:
  // REVISION_TOO_OLD, also for a revision that is not there yet.
  base::Result<std::vector<Change>> ChangesBehind(uint64_t* revision, const std::string& identity, size_t limit);
  // Runs `changed` once, on some thread, as soon as there is a change behind `revision`; at once, if there is. `waiter`
  // names the wait.
  void WaitForChange(uint64_t waiter, uint64_t revision, std::function<void()> changed);
  // False: it does not wait (any more).
  bool StopWaitingForChange(uint64_t waiter);
  // As `identity` may see it. Absent: he may not any more, and must not be told. Of kUnshared: the name and uid alone.
  std::optional<View> Look(const Change& change, const std::string& identity) const;

  size_t size() const;
  // census.cc. Every published socket, of all identities. The mutex is given back now and then: what comes or goes
  // meanwhile may be in it or not.
  Census Count() const;
  // Any thread.
  const RegistryCounters& counters() const { return counters_; }

 private:
  friend class Record;
  class Transaction;
  struct NameWaiter {
    std::string uid;
    std::string identity;
    Appeared appeared;
  };
  struct Closed {
    RecordPtr record;
    uint64_t number;
  };

  base::Result<View> Transfer(const RecordPtr& record, const SessionPtr& session, std::vector<Session::Ender>* refused);
  base::Result<Shared> Share(const RecordPtr& record, const std::string& identity, Access access,
                             std::vector<Grants::Ender>* ended, std::vector<Appeared>* appeared);
  void Changed(Record& record, const net::SocketInfo& info);
  void Closing(Record& record);
  bool Close(Record& record);  // false: nobody knew of it
  void Gone(Record& record);
  // Below, mutex_ is held.
  void Log(ChangeKind kind, Record& record);
  void Remember(Record& record);
  static View ViewOf(const Record& record, const Content& content);
  static View ViewFor(const Record& record, const Content& content, const std::string& identity);
  static Access AccessOf(const Record& record, const std::string& identity);
  static base::Status Check(const Record& record, const std::string& identity, Access need);
  static bool Concerns(const Change& change, const std::string& identity);
  // Those of this identity who wait for the socket.
  std::vector<Appeared> TakeNameWaiters(const Record& record, const std::string& identity);
  static base::Error GoneError(const Record& record);

  const base::Limits limits_;
  const base::Clock& clock_;
  guard::Guard* const guard_;
  RegistryCounters counters_;
  Told told_;                                                                 // may be null
  mutable std::mutex mutex_;                                                  // guards all below
  std::map<std::string_view, RecordPtr> sockets_;                             // by the record's own id
  std::map<std::pair<std::string, net::WaiterId>, NameWaiter> name_waiters_;  // by the socket's id and their own
  std::map<std::string, Closed> closed_;                                      // by id: the last one that had it
  std::deque<std::pair<uint64_t, std::string>> closed_order_;
  uint64_t closed_count_ = 0;
  ChangeLog log_;
  std::map<uint64_t, std::function<void()>> change_waiters_;
};

}  // namespace socketeer::registry
