// Who acts on a socket without owning it: somebody that it is shared with.
#pragma once

#include <string>

#include "server/quota/account.h"

namespace socketeer::net {

// A value; constant while it acts.
struct Actor {
  std::string identity;         // by which the policy judges
  quota::AccountPtr account{};  // from which the rates take; null: that is not counted
};

}  // namespace socketeer::net
