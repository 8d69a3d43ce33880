// Quotas as text:
//
//   identities:                     # groups, as in a policy
//     agents: ["spiffe://lab/*"]
//   total: {sockets: 10000, bytes_per_second: 100M}
//   quotas:                         # the first that matches, for each identity by itself
//     - identities: [agents, token:ci]
//       sockets: 100
//       sessions: 10
//       waiting_calls: 200          # calls under way, streams too
//       buffered_bytes: 64Mi
//       watchers: 4
//       opens_per_second: 20
//       burst_opens: 20             # default: a second's worth
//       bytes_per_second: 10M
//       burst_bytes: 2500k          # default: a quarter of a second's worth
//       when_exceeded: refuse       # of both rates; default: delay
//
// What is not there is not limited. Numbers may end in k, M, G (powers of 1,000) or Ki, Mi, Gi (of 1,024).
#pragma once

#include <string>

#include "server/base/limits.h"
#include "server/base/result.h"
#include "server/quota/quotas.h"

namespace socketeer::quota {

inline constexpr size_t kMaxQuotaFileBytes = 1 << 20;

// `file` is for messages: "quotas.yaml:12: ...". `total` may not be above the daemon's own limits. Errors are for the
// operator: message only.
base::Result<Rules> ParseQuotas(const std::string& text, const std::string& file, const base::Limits& limits);
base::Result<Rules> LoadQuotas(const std::string& file, const base::Limits& limits);

}  // namespace socketeer::quota
