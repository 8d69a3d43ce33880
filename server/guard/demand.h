// From what a socket is about to do to what a policy is asked.
#pragma once

#include <string>

#include "server/net/permit.h"
#include "server/net/socket_info.h"
#include "server/policy/request.h"

namespace socketeer::guard {

// What rules have no word for is a `raw` request: an address of another family "sockaddr:17", to open a socket of
// another protocol "protocol:262".
policy::Request RequestOf(const std::string& identity, const net::Demand& demand);

}  // namespace socketeer::guard
