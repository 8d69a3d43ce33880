// Where a listing goes on: opaque to callers, bound to the filter it was made with.
#pragma once

#include <string>

#include "server/base/limits.h"
#include "server/base/result.h"

namespace socketeer::rpc {

std::string MakePageToken(const std::string& last_id, const std::string& filter);
// The id after which to go on; "" for an empty token. INVALID_FIELD "page_token".
base::Result<std::string> ReadPageToken(const std::string& token, const std::string& filter);

// How many to list: 0 is 100, and no more than the limit. INVALID_FIELD "page_size" for a negative one.
base::Result<uint32_t> PageSizeOf(int32_t asked, const base::Limits& limits);

}  // namespace socketeer::rpc
