// From an OpenSocketRequest and the addresses of its endpoints to what a shard is to do.
#pragma once

#include <vector>

#include "server/net/shard.h"
#include "server/rpc/address_book.h"
#include "socketeer/v1/socket_service.pb.h"

namespace socketeer::rpc {

// The parts of the request that need no resolver, checked.
struct OpenRequest {
  int family = 0;  // AF_UNSPEC: follows the address
  int type = 0;
  int protocol = 0;
  net::OptionList options;
  std::optional<int> backlog;  // listen
  std::optional<std::chrono::nanoseconds> timeout;
};
base::Result<OpenRequest> CheckOpen(const v1::OpenSocketRequest& request);

// listen's argument; absent: kDefaultBacklog.
base::Result<int> BacklogOf(std::optional<int32_t> backlog, const std::string& field);

// One plan for each address to try, in order; at least one. `bind` and `connect` are empty when the request has none.
base::Result<std::vector<net::OpenPlan>> PlanOpen(const OpenRequest& request, const Addresses& bind,
                                                  const Addresses& connect);

}  // namespace socketeer::rpc
