// Every bound of the daemon, by name, with its unit and its reason.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace socketeer::base {

// Payload of one call, either way: below the 4 MiB that a gRPC client receives by default, with room for everything
// around it.
inline constexpr uint32_t kMaxPayloadBytes = 2 << 20;

// The bounds that callers can meet: the fields of socketeer.v1.Limits, which explain them.
struct Limits {
  // Follows from the descriptor limit, see DefaultLimits().
  uint32_t max_sockets = 0;
  // Agents and their tools, a few each; every one takes a descriptor from the sockets.
  uint32_t max_connections = 512;
  // A waiting call costs about 15 KiB inside gRPC: 300 MiB at the limit.
  uint32_t max_calls = 20'000;
  // A queue on one socket that is longer than this is a caller's mistake, not its load.
  uint32_t max_waiting_calls_per_direction = 1'024;
  // Fixed: loops have a buffer of this size.
  uint32_t max_payload_bytes = kMaxPayloadBytes;
  // As many as sendmmsg(2) takes at once (UIO_MAXIOV).
  uint32_t max_datagrams_per_call = 1'024;
  // 1,024 answers, each with a socket of common size, fit into a client's 4 MiB.
  uint32_t max_await_conditions = 1'024;
  // Labels are marks, not storage.
  uint32_t max_labels = 64;
  // Keys and values of one socket together. It keeps a page of sockets, and the answer to an await, below a client's 4
  // MiB.
  uint32_t max_label_bytes = 2'048;
  // A page of sockets of common size stays below a client's 4 MiB.
  uint32_t max_page_size = 1'000;
  // getaddrinfo(3) blocks, so resolutions queue for a few threads; a dead DNS server must not fill
  // memory.
  uint32_t max_resolutions = 256;
  // A quarter of them: who asks a name server that never answers takes no places of others.
  uint32_t max_resolutions_per_identity = 64;
  // A few for each agent and test run; each may remember kMaxRememberedAnswerBytes.
  uint32_t max_sessions = 1'024;
  // How far a watcher may be behind: a second of the fastest opening and closing there is.
  uint32_t max_remembered_changes = 16'384;
  // Two answers of the largest size: one that is not acknowledged, and one more.
  uint64_t max_retained_bytes_per_socket = 4 << 20;
  // So that callers who acknowledge nothing cannot fill memory.
  uint64_t max_retained_bytes = 256 << 20;
  // What attached streams may have sent ahead of their kernels: a thousand windows of common size.
  uint64_t max_send_window_bytes = 256 << 20;
  // Windows of attached streams that count datagrams or connections. What may be sent ahead then holds for a while at
  // the highest rates there are.
  uint32_t max_window_datagrams = 1'024;
  // Those who work on one socket together, by name. With identities of 512 bytes the answer that tells all of them has
  // 35 KB.
  uint32_t max_grants_per_socket = 64;
  // Each is a waiting call, so max_calls bounds what all cost together; more parties than half of them is a mistake.
  uint32_t max_barrier_parties = 10'000;
  // With max_value_bytes: 64 MiB of values in all.
  uint32_t max_values = 1'024;
  // A quarter of them, so that no identity takes the others' places.
  uint32_t max_values_per_identity = 256;
  // Addresses, keys, a small document; what is larger belongs on a socket.
  uint32_t max_value_bytes = 64 << 10;
};

// One more call is counted for so many items of an AwaitSockets: one that waits costs 0.8 KiB, a call some 15.
inline constexpr uint32_t kAwaitItemsOfACall = 16;

// The most descriptors that a process can have with the kernel's default fs.nr_open.
inline constexpr uint64_t kMaxDescriptors = 1 << 20;
// For what is neither a socket nor a connection: epoll, eventfd, logs, the resolver, libraries.
inline constexpr uint64_t kDescriptorSlack = 256;

// The limits of a daemon with so many descriptors (RLIMIT_NOFILE): sockets get what connections and
// slack leave. With few descriptors those two take a quarter each, at most, so that there is always
// room for sockets.
constexpr Limits DefaultLimits(uint64_t descriptors) {
  descriptors = std::min(descriptors, kMaxDescriptors);
  Limits limits;
  const uint64_t connections = std::min<uint64_t>(limits.max_connections, descriptors / 4);
  const uint64_t slack = std::min(kDescriptorSlack, descriptors / 4);
  limits.max_connections = static_cast<uint32_t>(connections);
  limits.max_sockets = static_cast<uint32_t>(descriptors - connections - slack);
  return limits;
}

// The longest `timeout` of a call. A day outlasts any test; a deadline further away is a mistake in
// units.
inline constexpr std::chrono::hours kMaxTimeout{24};
// gRPC's own limit for a message that comes in. Above every message that our limits allow, so that
// the error that a caller sees is ours, with its details, and not gRPC's.
inline constexpr size_t kMaxMessageBytes = 12 << 20;
// What gRPC may hold for all callers together: the waiting calls that there may be, what attached streams send ahead,
// and as much again for messages that arrive. Beyond, it ends streams, any.
inline constexpr size_t kMaxTransportBytes = 1 << 30;
// What one of them may become in memory (server/rpc/request_scan.h): more than the largest that our limits allow, which
// are those of many datagrams.
inline constexpr size_t kMaxRequestWeight = 2 * kMaxMessageBytes;
// What the requests of all calls may become together: room for as many small ones as there
// may be calls, or for some hundred of the largest. Beyond, a request is refused before anything is made of it.
inline constexpr size_t kMaxRequestBytes = 1 << 30;
// A status with its details, serialized: it travels in the trailers, for which gRPC allows 8 KiB in
// all.
inline constexpr size_t kMaxErrorBytes = 4'096;
// Closed sockets that are remembered, so that CLOSED, and why, is told apart from never having existed.
inline constexpr size_t kMaxClosedRemembered = 4'096;
// The same for sessions: a caller whose lease ran out is told so.
inline constexpr size_t kMaxEndedRemembered = 4'096;
// Barriers at which nobody waits: their generations, and how the last one broke.
inline constexpr size_t kMaxBarriersRemembered = 4'096;
// A party's name at a barrier: for people.
inline constexpr size_t kMaxPartyBytes = 128;
// Room for a UUID with a prefix.
inline constexpr size_t kMaxRequestIdBytes = 128;
// Answers of one session that are kept for a repeated request_id.
inline constexpr size_t kMaxRememberedRequests = 1'024;
// The same in bytes: a page of answers with many labels must not grow without end.
inline constexpr size_t kMaxRememberedAnswerBytes = 1 << 20;

// Leases. Below a second, a busy machine would lose sessions whose owners live.
inline constexpr std::chrono::seconds kMinTtl{1};
inline constexpr std::chrono::seconds kDefaultTtl{60};
inline constexpr std::chrono::hours kMaxTtl{24};
inline constexpr std::chrono::hours kMaxGrace{24};
inline constexpr std::chrono::hours kStandingTtl{1};
// What one socket may move before the loop turns to the next one: one receive buffer full.
inline constexpr size_t kFairShareBytes = 256 << 10;
// The same in operations, for small ones: sixteen system calls take some tens of microseconds.
inline constexpr int kFairShareOperations = 16;
// A window of an attached stream whose client names none: a round trip on one host at full speed.
inline constexpr uint64_t kDefaultWindowBytes = 256 << 10;
// The same in datagrams, or connections.
inline constexpr uint64_t kDefaultWindowDatagrams = 64;
// What each datagram of a send window is counted as, in bytes: the largest of UDP fits.
inline constexpr uint64_t kDatagramWindowBytes = 64 << 10;
// The most in one data frame of an attached stream: smaller ones cost speed, larger ones bring none.
inline constexpr size_t kMaxFrameBytes = 256 << 10;
// What may have arrived on an attached stream and wait for its loop, which is busy: as much as it moves in a turn or
// two.
inline constexpr size_t kMaxArrivedBytes = 512 << 10;
// What a datagram that is kept costs beside its payload: its two addresses, and what holds them.
inline constexpr size_t kDatagramOverhead = 256;
// Threads that ask getaddrinfo(3), made when they are needed; each may be held for as long as a dead name server is
// waited for.
inline constexpr uint32_t kResolverThreads = 16;
// A quarter of them for each identity: the others' names are asked for at once meanwhile.
inline constexpr uint32_t kResolverThreadsPerIdentity = 4;
// Lines of the audit that wait to be written: some ten thousand, a second of the fastest opening and closing there is.
inline constexpr size_t kMaxAuditQueueBytes = 4 << 20;

}  // namespace socketeer::base
