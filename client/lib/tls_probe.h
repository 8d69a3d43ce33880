// Why TLS with a daemon fails: gRPC does not say, or in OpenSSL's words. Private to the library.
#pragma once

#include <string>

#include "absl/time/time.h"
#include "socketeer/call_options.h"
#include "socketeer/credentials.h"

namespace socketeer::internal {

// Connects once more, by hand, as the channel did, and tells in a phrase what stands in the way: "its certificate is
// not by the CA that was given". Empty: nothing does, or the host cannot be reached at all. Without a CA it finds out
// whether the daemon wants TLS. Takes at most `within` and kLongestProbe, the resolver's time included, and ends early
// when it is cancelled; what it says then does not count. `cancellation` may be null.
std::string WhyNoTls(const std::string& host, const std::string& port, const Credentials& credentials,
                     absl::Duration within, Cancellation* cancellation);

// A connect, a handshake's round trips, the daemon's first words.
inline constexpr absl::Duration kLongestProbe = absl::Seconds(3);

}  // namespace socketeer::internal
