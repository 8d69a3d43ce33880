// Every socket of the daemon by name: who owns it, where it lives, what it is.
//
// Thread-safe: one mutex, never held over a system call or a callback. A caller sees its own sockets only; a foreign
// one looks as if it did not exist.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "server/base/clock.h"
#include "server/base/limits.h"
#include "server/base/result.h"
#include "server/registry/filter.h"
#include "server/registry/record.h"

namespace socketeer::registry {

using RecordPtr = std::shared_ptr<Record>;

// [a-z][a-z0-9-]{0,62}
bool IsSocketId(std::string_view id);

class Registry {
 public:
  // `clock` must outlive the registry.
  Registry(const base::Limits& limits, const base::Clock& clock) : limits_(limits), clock_(clock) {}

  // Takes the name for a socket that is about to be made; an empty id asks for a random one. Errors: INVALID_FIELD
  // "socket_id" or "labels", SOCKET_EXISTS, LIMIT_REACHED max_sockets.
  base::Result<RecordPtr> Reserve(const std::string& id, const std::string& owner, Labels labels, net::Shard* shard,
                                  net::SocketHandle handle);
  // The socket is made: from now on it is seen, and those who waited for the name are told.
  void Publish(const RecordPtr& record);
  // It was not made. No effect once it is published or gone.
  void Abandon(const RecordPtr& record);

  // `uid` may be empty. Errors: SOCKET_NOT_FOUND, SOCKET_CLOSED, UID_MISMATCH.
  base::Result<RecordPtr> Find(const std::string& id, const std::string& uid, const std::string& owner);
  View Look(const RecordPtr& record);
  // The uid of the last socket that was closed under this name; "" when none is remembered.
  std::string ClosedUid(const std::string& id, const std::string& owner) const;

  // Up to `limit` sockets of `owner` that match, by name, after the id `after`. The flag: there are more.
  std::pair<std::vector<View>, bool> List(const std::string& owner, const Filter& filter, const std::string& after,
                                          size_t limit);
  // `change` edits a copy, under the mutex; what comes out is checked.
  base::Result<View> UpdateLabels(const RecordPtr& record, const std::function<void(Labels&)>& change);

  // The socket if it is there, else null, and `appeared` will run when it is published (on some shard's thread).
  using Appeared = std::function<void(RecordPtr)>;
  RecordPtr FindOrWait(const std::string& id, const std::string& uid, const std::string& owner, net::WaiterId waiter,
                       Appeared appeared);
  void StopWaiting(const std::string& id, net::WaiterId waiter);
  // The daemon stops: everyone who waits for a name is told null.
  void EndNameWaits();

  size_t size() const;

 private:
  friend class Record;
  struct NameWaiter {
    net::WaiterId id;
    std::string uid;
    std::string owner;
    Appeared appeared;
  };
  struct Closed {
    std::string owner;
    std::string uid;
    uint64_t number;
  };

  void Changed(Record& record, const net::SocketInfo& info);
  void Closing(Record& record);
  void Gone(Record& record);
  void Remember(const Record& record);
  View LookLocked(const Record& record) const;

  const base::Limits limits_;
  const base::Clock& clock_;
  mutable std::mutex mutex_;  // guards all below
  std::map<std::string, RecordPtr, std::less<>> sockets_;
  std::multimap<std::string, NameWaiter> name_waiters_;
  std::map<std::string, Closed> closed_;  // by id: the last one that had it
  std::deque<std::pair<uint64_t, std::string>> closed_order_;
  uint64_t closed_count_ = 0;
};

}  // namespace socketeer::registry
