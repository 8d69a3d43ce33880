// What a caller can say about one call, and about all calls to a host.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <optional>

#include "absl/time/time.h"
#include "socketeer/credentials.h"

namespace socketeer {

class CancellationScope;

// Ends calls from another thread: they return CANCELLED. Thread-safe. Belongs to the caller and
// outlives every call that was given it.
class Cancellation {
 public:
  Cancellation() = default;
  Cancellation(const Cancellation&) = delete;
  Cancellation& operator=(const Cancellation&) = delete;

  // Ends the calls under way and, at once, every later one. True when one was under way.
  bool Cancel();
  // Waits until Cancel is called, for at most `within` and a day. True when it was.
  bool AwaitCancel(absl::Duration within);

 private:
  friend class CancellationScope;

  std::mutex mutex_;
  std::condition_variable cancel_;
  bool cancelled_ = false;
  std::map<const CancellationScope*, std::function<void()>> under_way_;
};

struct CallOptions {
  // How long the daemon waits for the call's result. Zero: it tries once. absl::InfiniteDuration():
  // no bound. Unset: the request's own timeout, else HostOptions::default_timeout. At most 24 h.
  // Calls that never wait ignore it.
  std::optional<absl::Duration> timeout{};
  // Not owned; may be null.
  Cancellation* cancellation = nullptr;
  // No call goes on behind it, whatever else says how long it may take: it fails then, as one that the daemon does not
  // answer (ErrorKind::kUnreachable). What stays (streams, Host::Watch, Host::HoldSession) ignores it.
  absl::Time deadline = absl::InfiniteFuture();
};

struct HostOptions {
  // For calls that wait (connect, accept, send, receive, shutdown, await) and name no timeout.
  absl::Duration default_timeout = absl::InfiniteDuration();
  // The RPC's deadline is this much after the call's own timeout: time for the answer to travel.
  absl::Duration grace = absl::Seconds(5);
  // The RPC's deadline of calls that do not wait; a name may have to be resolved.
  absl::Duration answer_time = absl::Seconds(30);
  // How long one attempt to connect to the daemon may take before it counts as unreachable; 1 ms to 24 h.
  absl::Duration connect_time = absl::Seconds(5);
  // TLS, certificates, a token: Host::Connect's. Of a Host made of stubs the token alone counts, and whoever made their
  // channel answers for who can read it there.
  Credentials credentials{};
  // Of what the calls are a part: the daemon tells it in its log and its audit. As the header traceparent of W3C Trace
  // Context; what is none counts, as that says, as if it were not there.
  std::string traceparent{};
};

}  // namespace socketeer
