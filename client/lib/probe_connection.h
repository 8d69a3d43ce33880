// A TCP connection for a question that must come to an end. Private to the library.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "client/lib/connection.h"

struct addrinfo;

namespace socketeer::internal {

// All that it does shares one deadline, and ends when the caller cancels. It never raises SIGPIPE. One thread.
class ProbeConnection {
 public:
  // `cancellation` may be null, and outlives this.
  ProbeConnection(absl::Duration within, Cancellation* cancellation);
  ~ProbeConnection();
  ProbeConnection(const ProbeConnection&) = delete;
  ProbeConnection& operator=(const ProbeConnection&) = delete;

  // False: none of the host's addresses answers, or it took too long.
  bool Connect(const std::string& host, const std::string& port);
  // Sends all of them, unless the peer is gone or it takes too long; Receive() tells that too.
  void Send(std::string_view bytes);
  enum class Received { kBytes, kEnd, kNothing };
  // Some bytes; the end of the connection, by a reset too; nothing in time.
  Received Receive(std::string* bytes);

 private:
  // Until `fd` is ready for `events`; false: the time is over, or it was cancelled.
  bool Await(int fd, short events) const;
  bool ConnectTo(const addrinfo& address);

  const std::chrono::steady_clock::time_point deadline_;
  const int cancelled_;  // an eventfd
  std::optional<CancellationScope> scope_;
  int fd_ = -1;
};

}  // namespace socketeer::internal
