// Kinds of sockets by their words.
#pragma once

#include <span>
#include <string_view>

#include "absl/status/status.h"
#include "socketeer/v1/socket_service.pb.h"

namespace socketeer {

// tcp, tcp4, tcp6, udp, udp4, udp6, unix, unix-dgram, unix-seqpacket.
std::span<const std::string_view> KindWords();

// Sets family, type and v6only of `request`, whose addresses and options are already set.
//
// tcp and udp leave the family open, so that it follows the address; without any address they are
// IPv6 and IPv4 at once. tcp6 and udp6 set v6only, unless the options already say otherwise.
// INVALID_ARGUMENT: no such word, or an address that does not fit it.
absl::Status ApplyKind(std::string_view word, v1::OpenSocketRequest* request);

}  // namespace socketeer
