// Where a listing goes on: opaque to callers, bound to the filter it was made with.
#pragma once

#include <string>

#include "server/base/result.h"

namespace socketeer::rpc {

std::string MakePageToken(const std::string& last_id, const std::string& filter);
// The id after which to go on; "" for an empty token. INVALID_FIELD "page_token".
base::Result<std::string> ReadPageToken(const std::string& token, const std::string& filter);

}  // namespace socketeer::rpc
