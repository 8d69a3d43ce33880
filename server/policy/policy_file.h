// A policy as text:
//
//   identities:                    # groups
//     testers: [uid:1000, "spiffe://lab/tester/*"]
//   addresses:
//     lab: [10.20.0.0/16, "fd00:20::/32"]
//   rules:                         # the first that matches decides; what none matches is denied
//     - name: no-database          # default: "rule 1"
//       deny: [connect, send]
//       identities: [testers]
//       addresses: [10.20.0.5]
//     - allow: [open, option, resolve]
//       identities: [testers]
//     - allow: [connect, bind, listen, send, receive]
//       identities: [testers]
//       protocols: [tcp, udp]      # tcp, udp, stream, dgram, seqpacket
//       addresses: [lab, loopback]
//       ports: [1-1023, 8080]
//   cases:
//     - [uid:1000, connect, "tcp:10.20.0.5:5432", deny, no-database]
//     - [uid:1000, connect, "tcp:10.20.0.6:80", allow]
//   mode: shadow                   # default: enforce
//
// Besides there are families (ipv4, ipv6, unix), paths and names. A rule may not state what a verb of it has not: an
// open has no address. `all` for verbs is all that have what the rule states, `any` for identities everyone. Groups of
// addresses that are always there: any, loopback, private, link-local, metadata, wildcard.
#pragma once

#include <string>
#include <string_view>

#include "server/base/result.h"
#include "server/policy/policy.h"

namespace socketeer::policy {

inline constexpr size_t kMaxPolicyBytes = 1 << 20;

// `file` is for messages: "policy.yaml:12: ...". Errors are for the operator: message only. Cases are not tried.
base::Result<Policy> ParsePolicy(const std::string& text, const std::string& file);

}  // namespace socketeer::policy
