// Which sockets a verb is about, when it does not name them.
#pragma once

#include <string>
#include <vector>

#include "client/cli/arguments.h"
#include "socketeer/host.h"

namespace socketeer::cli {

// The sockets that `filter` (ListSocketsRequest.filter, may be empty) admits and that have every
// one of `labels`, byte for byte.
absl::StatusOr<std::vector<v1::Socket>> ListMatching(const Host& host, const std::string& filter, const Labels& labels,
                                                     const CallOptions& options);

}  // namespace socketeer::cli
