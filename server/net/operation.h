// A call on a socket that may have to wait: try now; if the kernel is not ready, stand in the queue of its direction
// and try again when it is; end exactly once, with a value or an Error.
//
// Made by whoever serves the caller, handed to Socket::Start(), and from then on owned by the socket, on its loop's
// thread. Its id is its own: cancelling one operation can never touch another.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "server/base/result.h"
#include "server/net/actor.h"

namespace socketeer::net {

class Socket;

using OperationId = uint64_t;  // unique among all operations of the process

enum class Side { kRead, kWrite };

enum class Mode { kExact, kWait, kWhole };

enum class Progress {
  kDone,         // it has its result
  kBlocked,      // the kernel is not ready and will announce when it is
  kUnannounced,  // the kernel is not ready and will not announce it (socket.cc: Rearm)
  kDelayed,      // its owner's quota says not yet (Socket::AskToMove)
  kMore,         // it could go on, but had its fair share of the loop
};

// What all operations are made from.
struct OperationBase {
  OperationId id = 0;
  Mode mode = Mode::kWait;
  // Absent: waits without end.
  std::optional<std::chrono::nanoseconds> timeout;
  // Set when the caller gives up; null: never. Lives until the operation is complete. Looked at right before and right
  // after each try: the kernel's answer must not go to a caller who is known to be gone.
  const std::atomic<bool>* cancelled = nullptr;
  // For whom; null: for the socket's owner. Lives as long.
  const Actor* actor = nullptr;
};

class Operation {
 public:
  Operation(const OperationBase& base, Side side) : base_(base), side_(side) {}
  virtual ~Operation() = default;
  Operation(const Operation&) = delete;
  Operation& operator=(const Operation&) = delete;

  OperationId id() const { return base_.id; }
  Side side() const { return side_; }
  Mode mode() const { return base_.mode; }
  const std::optional<std::chrono::nanoseconds>& timeout() const { return base_.timeout; }
  const Actor* actor() const { return base_.actor; }
  bool cancelled() const { return base_.cancelled != nullptr && base_.cancelled->load(); }
  // The verb, for errors: "receive".
  virtual const char* verb() const = 0;

  // One attempt. In mode kExact it returns kDone or kMore.
  virtual Progress Try(Socket& socket) = 0;
  // Its time is over: the result is what it has so far.
  virtual void TimeOut() = 0;
  // It ends with its result, or the error that Try() met, and its caller is there to get it: only now something leaves
  // the socket. Not called when it fails.
  virtual void Settle(Socket&) {}
  // Ends without a result, also if Try() already had one; what it took from the kernel stays with the socket.
  virtual void Fail(Socket& socket, base::Error error) = 0;
  // Hands the result to the caller. Called once, last, when the socket is in a consistent state.
  virtual void Complete() = 0;

 private:
  const OperationBase base_;
  const Side side_;
};

// An operation whose result is a T; T has a member `bool timed_out`.
template <typename T>
class OperationOf : public Operation {
 public:
  // Runs on the loop's thread. Must not destroy the socket.
  using Done = absl::AnyInvocable<void(base::Result<T>) &&>;

  OperationOf(const OperationBase& base, Side side, Done done) : Operation(base, side), done_(std::move(done)) {}

  void TimeOut() override { result_.timed_out = true; }
  void Fail(Socket&, base::Error error) override { error_ = std::move(error); }
  void Complete() override {
    if (error_) {
      std::move(done_)(std::move(*error_));
    } else {
      std::move(done_)(std::move(result_));
    }
  }

 protected:
  T result_{};
  std::optional<base::Error> error_;

 private:
  Done done_;
};

}  // namespace socketeer::net
