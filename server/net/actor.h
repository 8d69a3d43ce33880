// Who acts on a socket without owning it: somebody that it is shared with.
#pragma once

#include <atomic>
#include <string>

#include "server/quota/account.h"

namespace socketeer::net {

struct Actor {
  std::string identity;         // by which the policy judges
  quota::AccountPtr account{};  // from which the rates take; null: that is not counted
  // Set by whoever withdraws the grant, on any thread, before it goes on: nothing is done for him any more, though what
  // he has attached may leave the socket a moment later.
  mutable std::atomic<bool> withdrawn{false};
};

// Null acts for the owner, always.
inline bool MayAct(const Actor* actor) { return actor == nullptr || !actor->withdrawn.load(); }

}  // namespace socketeer::net
