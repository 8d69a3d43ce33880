// Addresses as people write them.
//
//   10.0.0.1:80   [::1]:0   [fe80::1%eth0]:80     numeric, `inet`
//   db.example:5432                               a name, resolved at the daemon's host, `named`
//   :0                                            bind only: every address, `named` without a host
//   /run/x.sock   ./x.sock   unix:PATH            a UNIX path of 1 to 108 bytes
//   @name                                         a UNIX abstract name, 0 to 107 bytes
//   unix:                                         the unnamed UNIX address; in a bind: autobind
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "socketeer/v1/endpoint.pb.h"

namespace socketeer {

// What the address is for: kConnect also when a datagram is sent to it.
enum class EndpointUse { kBind, kConnect };

// INVALID_ARGUMENT says what was given and what is allowed. A path is taken byte for byte; in an
// abstract name `\xNN` stands for a byte and `\\` for a backslash.
absl::StatusOr<v1::Endpoint> ParseEndpoint(std::string_view text, EndpointUse use);

// The notation above; what it cannot express becomes "raw:" and hexadecimal digits; an endpoint
// with nothing set becomes "". A path with bytes that a terminal must not have is for the eye alone:
// they become `\xNN`, and such a text parses as another path.
std::string FormatEndpoint(const v1::Endpoint& endpoint);

}  // namespace socketeer
