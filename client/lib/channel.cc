#include "client/lib/channel.h"

#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>

#include "client/lib/host_port.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/security/credentials.h"
#include "proto/wire/http2.h"
#include "socketeer/host.h"
#include "socketeer/status_macros.h"
#include "socketeer/text.h"

namespace socketeer {
namespace internal {
namespace {

constexpr std::string_view kUnixPrefix = "unix:";
constexpr std::string_view kDefaultPort = "7625";
constexpr size_t kMaxUnixPathBytes = 107;  // gRPC wants a NUL behind it
// Above the largest answer: a full page of sockets, or a payload with everything around it.
constexpr int kMaxMessageBytes = 16 << 20;
// The pause between attempts that failed: a session's shortest lease is 1 s.
constexpr int kFirstReconnectBackoffMs = 100;
constexpr int kMaxReconnectBackoffMs = 500;

absl::Status Malformed(std::string_view text, std::string_view why) {
  return absl::InvalidArgumentError(Quoted(text) + " is not a daemon's address: " + std::string(why));
}

// gRPC decodes %NN in its targets, so everything that it might mistake is encoded.
std::string PercentEncoded(std::string_view text) {
  constexpr char kHex[] = "0123456789ABCDEF";
  std::string encoded;
  for (const char c : text) {
    const unsigned char byte = static_cast<unsigned char>(c);
    if (byte < 0x80 && (std::isalnum(byte) || std::string_view("/:[]._-").find(c) != std::string_view::npos)) {
      encoded += c;
    } else {
      encoded += {'%', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  return encoded;
}

absl::StatusOr<Target> UnixTarget(std::string_view text, std::string_view path) {
  if (path.empty() || path.size() > kMaxUnixPathBytes || path.find('\0') != path.npos) {
    return Malformed(text, "a path is 1 to 107 bytes, none of them NUL");
  }
  return Target{.endpoint = "unix:" + Printable(path), .uri = "unix:" + PercentEncoded(path)};
}

absl::StatusOr<Target> HostTarget(std::string_view text) {
  constexpr std::string_view kAllowed = "unix:PATH, /PATH, ./PATH or HOST[:PORT]";
  HostPort parts{.host = text, .bracketed = true, .port = std::nullopt};
  if (!IsIpv6(text)) {
    SOCKETEER_ASSIGN_OR_RETURN(parts, SplitHostPort(text));
  }
  const std::string_view port = parts.port.value_or(kDefaultPort);
  if (const auto number = ParsePort(port); !number.ok() || *number == 0) {
    return Malformed(text, "the port is 1 to 65535");
  }
  const bool valid = parts.bracketed ? IsIpv6(parts.host.substr(0, parts.host.find('%')))
                                     : IsIpv4(parts.host) || IsHostName(parts.host);
  if (!valid) return Malformed(text, kAllowed);
  const std::string host = parts.bracketed ? "[" + std::string(parts.host) + "]" : std::string(parts.host);
  const std::string endpoint = host + ":" + std::string(port);
  return Target{.endpoint = Printable(endpoint),
                .uri = "dns:///" + PercentEncoded(endpoint),
                .host = std::string(parts.host),
                .port = std::string(port)};
}

}  // namespace

bool IsUnixAddress(std::string_view text) {
  return text.starts_with(kUnixPrefix) || text.starts_with("/") || text.starts_with("./") || text.starts_with("../");
}

absl::StatusOr<Target> ParseTarget(std::string_view text) {
  if (!IsUnixAddress(text)) return HostTarget(text);
  return UnixTarget(text, text.starts_with(kUnixPrefix) ? text.substr(kUnixPrefix.size()) : text);
}

absl::Status CheckCredentials(const Target& target, const Credentials& credentials) {
  const bool over_unix = target.host.empty();
  if (over_unix && !credentials.ca.empty()) {
    return absl::InvalidArgumentError("there is no TLS over the UNIX socket " + target.endpoint +
                                      ": a CA and certificates do not go with it");
  }
  if (credentials.cert.empty() != credentials.key.empty() || (credentials.ca.empty() && !credentials.cert.empty())) {
    return absl::InvalidArgumentError("a certificate goes with its key, and with the daemon's CA");
  }
  if (!over_unix && credentials.ca.empty() && !credentials.token.empty()) {
    return absl::InvalidArgumentError("a token is not sent to " + target.endpoint +
                                      " over TCP without TLS, where others can read it; TLS needs the daemon's CA");
  }
  return absl::OkStatus();
}

std::shared_ptr<grpc::Channel> MakeChannel(const Target& target, const Keepalive& keepalive,
                                           const Credentials& credentials, absl::Duration connect_time) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kMaxMessageBytes);
  // The name means how long an attempt may take, and no pause.
  const auto within = absl::ToInt64Milliseconds(std::clamp(connect_time, absl::Milliseconds(1), absl::Hours(24)));
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, static_cast<int>(within));
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, kFirstReconnectBackoffMs);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, kMaxReconnectBackoffMs);
  // Only while a call is under way, which is gRPC's default; then however long nothing else is sent.
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, static_cast<int>(keepalive.after.count()));
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, static_cast<int>(keepalive.timeout.count()));
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  // A connection of its own, so that no other Host's failed attempt stands in the way.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  // The daemon is where the endpoint says, whatever http_proxy says.
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetInt(GRPC_ARG_SERVICE_CONFIG_DISABLE_RESOLUTION, 1);
  arguments.SetInt(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, wire::kStreamLookaheadBytes);
  arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  if (credentials.ca.empty()) {
    return grpc::CreateCustomChannel(target.uri, grpc::InsecureChannelCredentials(), arguments);
  }
  return grpc::CreateCustomChannel(
      target.uri, grpc::SslCredentials({credentials.ca, credentials.key, credentials.cert}), arguments);
}

}  // namespace internal

absl::StatusOr<std::string> DefaultEndpoint() {
  if (geteuid() == 0) return "unix:/run/socketeer.sock";
  const char* directory = std::getenv("XDG_RUNTIME_DIR");
  if (directory == nullptr || *directory == '\0') {
    return absl::UnavailableError("the daemon's socket is in $XDG_RUNTIME_DIR, which is not set");
  }
  return std::string("unix:") + directory + "/socketeer.sock";
}

}  // namespace socketeer
