// With whom a socket is shared, and what they have under way on it.
//
// Not thread-safe: the registry's, under its mutex. Most sockets have none.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "server/base/error.h"

namespace socketeer::registry {

// What an identity may do with a socket; each includes those before it. The numbers are socketeer.v1.Access's, but for
// the owner's own.
enum class Access { kNone = 0, kObserve = 1, kUse = 2, kOwn = 3 };
// "OBSERVE": the word of socketeer.v1.Access without its prefix; "OWNER".
const char* AccessWord(Access access);

struct Grant {
  std::string identity;
  Access access = Access::kNone;

  friend bool operator==(const Grant&, const Grant&) = default;
};

class Grants {
 public:
  // For a call, an await or a stream that somebody makes by a grant: runs outside any mutex when what it needs is
  // withdrawn first, perhaps several times, and while it is just ending.
  using Ender = std::function<void(const base::Error& why)>;

  Access Of(const std::string& identity) const;
  // Since which change of the daemon's; precondition: it has a grant.
  uint64_t SinceOf(const std::string& identity) const { return entries_.at(identity).since; }
  size_t size() const { return entries_.size(); }
  std::vector<Grant> List() const;

  // In place of what it had; kNone takes it away. `revision`: the change that this is.
  void Set(const std::string& identity, Access access, uint64_t revision);

  void Enter(uint64_t id, const std::string& identity, Access need, Ender end) {
    uses_.insert_or_assign(id, Use{.identity = identity, .need = need, .end = std::move(end)});
  }
  void Leave(uint64_t id) { uses_.erase(id); }
  // Of what this identity may no longer have under way. They stay until it leaves: who withdraws at the same time must
  // not go on before they have run either.
  std::vector<Ender> EndersOf(const std::string& identity) const;

  bool empty() const { return entries_.empty() && uses_.empty(); }

 private:
  struct Entry {
    Access access;
    uint64_t since;
  };
  struct Use {
    std::string identity;
    Access need;
    Ender end;
  };
  std::map<std::string, Entry> entries_;
  std::map<uint64_t, Use> uses_;
};

}  // namespace socketeer::registry
