// One unary call, from its arrival to its answer.
//
// Made by Serve(), deleted by gRPC (OnDone). Ends exactly once, by Succeed() or Fail(), from any thread. The request
// and the response are gRPC's and live as long as the call.
#pragma once

#include <grpcpp/support/server_callback.h>

#include <atomic>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "server/net/operation.h"
#include "server/rpc/core.h"
#include "server/rpc/unknown_fields.h"

namespace socketeer::rpc {

class Call final : public grpc::ServerUnaryReactor {
 public:
  // `verb`: SocketError.operation of errors that do not say their own.
  Call(Core& core, const grpc::CallbackServerContext& context, const char* verb);
  ~Call() override;

  // Before anything else: may this call be served at all?
  base::Status Admit(const google::protobuf::Message& request);

  Core& core() { return core_; }
  const std::string& identity() const { return caller_.identity; }
  // The base of this call's operation; the id names the call at its socket. The timeout began with the call: what a
  // resolver took is over.
  net::OperationBase OperationOf(net::Mode mode, std::optional<std::chrono::nanoseconds> timeout) const;

  // The caller's socket of that name.
  base::Result<registry::RecordPtr> Find(const std::string& name, const std::string& uid);

  // Runs `run` on the socket's thread, or fails the call when the socket is closed or the call cancelled by then. From
  // here on cancelling the call cancels the operation with this call's id on that socket.
  using OnSocket = absl::AnyInvocable<void(net::Socket&)>;
  void Post(const registry::RecordPtr& record, OnSocket run);

  // What to do when the caller gives up or its deadline is over; runs at most once, at once if that has happened. On
  // any thread.
  void SetCanceller(std::function<void()> canceller);
  // For a call that waits for no socket: what to do, once, when its caller gives up (CANCELLED) or the daemon stops
  // (DRAINING). `end` may run on any thread, also when the call is just ending: it decides by itself who is first, and
  // leaves an ended call alone.
  void SetEnder(std::function<void(base::Error)> end);
  bool cancelled() const { return cancelled_.load(); }

  // Runs `undo` if the call fails. Set before anything is posted.
  void OnFailure(std::function<void()> undo) { undo_ = std::move(undo); }

  void Succeed() { Finish(grpc::Status::OK); }
  void Fail(base::Error error);
  // Succeeds, or fails with the error.
  template <typename T, typename Fill>
  void Answer(base::Result<T> result, Fill fill) {
    if (!result.ok()) return Fail(std::move(result).error());
    fill(*std::move(result));
    Succeed();
  }

 private:
  void OnCancel() override;
  void OnDone() override { delete this; }

  Core& core_;
  const char* const verb_;
  const Caller caller_;
  const net::OperationId id_;
  const base::MonotonicTime began_;
  std::function<void()> undo_;
  std::string socket_;  // the name it was called with, for errors
  bool has_ender_ = false;
  std::atomic<bool> cancelled_{false};
  std::mutex mutex_;
  std::function<void()> canceller_;  // guarded by mutex_
};

// The front of every method: admits the call, then lets `body` begin it. `body` takes a Call& and returns an error
// while nothing has been started.
template <typename Request, typename Body>
grpc::ServerUnaryReactor* Serve(Core& core, const grpc::CallbackServerContext& context, const char* verb,
                                const Request& request, Body body) {
  Call* const call = new Call(core, context, verb);
  base::Status status = call->Admit(request);
  if (status.ok()) status = body(*call);
  if (!status.ok()) call->Fail(std::move(status).error());
  return call;
}

}  // namespace socketeer::rpc
