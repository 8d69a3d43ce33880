// Requests about one socket. Private to the library.
#pragma once

#include <utility>

#include "socketeer/v1/socket.pb.h"

namespace socketeer::internal {

// `request` with the name and, when it is known, the uid of `socket`: a namesake is never met.
template <typename Request>
Request Filled(const v1::Socket& socket, Request request = {}) {
  request.set_name(socket.name());
  request.set_uid(socket.uid());
  return request;
}

}  // namespace socketeer::internal
