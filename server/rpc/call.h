// One unary call, from its arrival to its answer.
#pragma once

#include <grpcpp/support/server_callback.h>

#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "server/rpc/call_scope.h"

namespace socketeer::rpc {

// The duty to say how a request with a request_id came out. Of one without, nobody asks.
class OnceClaim {
 public:
  OnceClaim() = default;
  OnceClaim(registry::SessionPtr session, std::string request_id)
      : session_(std::move(session)), request_id_(std::move(request_id)) {}
  void Succeed(const google::protobuf::Message& response) const;
  void Forget() const;

 private:
  registry::SessionPtr session_;
  std::string request_id_;
};

// Made by Serve(), deleted by gRPC (OnDone), perhaps on the thread that ends it. Ends exactly once, by Succeed() or
// Fail(), from any thread that holds no lock. The request and the response are gRPC's and live as long as the call.
class Call final : public grpc::ServerUnaryReactor {
 public:
  Call(Core& core, const grpc::CallbackServerContext& context, Method method) : scope_(core, context, method) {}

  base::Status Admit(const google::protobuf::Message& request) { return scope_.Admit(request); }
  Core& core() { return scope_.core(); }
  const std::string& identity() const { return scope_.identity(); }
  // The session that the call is made in.
  const registry::SessionPtr& session() const { return scope_.session(); }
  const CallScope& scope() const { return scope_; }
  // It goes on when the session ends.
  void Leave(registry::Session& session) { session.Release(scope_.id()); }
  // The base of this call's operation; the id names the call at its socket. The timeout began with the call: what a
  // resolver took is over.
  net::OperationBase OperationOf(net::Mode mode, std::optional<std::chrono::nanoseconds> timeout) const;

  // The socket of that name, with which the caller may do what it `need`s: his own, in whose session the call is then,
  // too; or one that is shared with him, until that is withdrawn, which cancels the call.
  base::Result<registry::RecordPtr> Find(const std::string& name, const std::string& uid,
                                         registry::Access need = registry::Access::kUse);
  // The same for a call that only looks, also when that session is just ending.
  base::Result<registry::RecordPtr> FindToLook(const std::string& name, const std::string& uid);

  // From here on cancelling the call cancels the operation with this call's id on that socket, which may not be there
  // yet.
  void WaitOn(net::Shard& shard, net::SocketHandle handle);
  // Runs `run` on the socket's thread, or fails the call when the socket is closed or the call cancelled by then. The
  // call waits on the socket from here on.
  using OnSocket = absl::AnyInvocable<void(net::Socket&)>;
  void Post(const registry::RecordPtr& record, OnSocket run);

  // What to do when the caller gives up, its deadline is over, or its session ends; runs at most once, at once if that
  // has happened. On any thread.
  void SetCanceller(std::function<void()> canceller);
  // For a call that waits for no socket: what to do, once, when it is cancelled or the daemon stops. `end` may run on
  // any thread, also when the call is just ending: it decides by itself who is first, and leaves an ended call alone.
  void SetEnder(std::function<void(base::Error)> end);
  bool cancelled() const { return scope_.cancellation()->cancelled().load(); }

  // What the audit is told when it ends; before anything is begun.
  void TellAs(Telling telling) { telling_ = std::move(telling); }
  // The caller, for what happens to a socket by its will. Null without an audit.
  std::unique_ptr<const registry::Closer> Closer() const;

  // Runs `undo` if the call fails. Not while another thread may end the call.
  void OnFailure(std::function<void()> undo) { undo_ = std::move(undo); }

  // Runs `run`, which begins the call, unless a call with this request_id did so before, or does now, in this session:
  // then this one ends as that one.
  base::Status Once(const std::string& request_id, const google::protobuf::Message& request,
                    google::protobuf::Message* response, std::function<void()> run);

  // For a call whose work goes on when its caller is gone: from here on the claim says how the request came out, not
  // the call's end.
  OnceClaim TakeClaim();

  // `timed_out`: its own timeout was over, and the answer says so.
  void Succeed(bool timed_out = false) {
    Tell(nullptr);
    if (timed_out) scope_.NoteOutcome(kTimedOutOutcome);
    End(grpc::Status::OK);
  }
  void Fail(base::Error error);
  // Succeeds, or fails with the error.
  template <typename T, typename Fill>
  void Answer(base::Result<T> result, Fill fill) {
    if (!result.ok()) return Fail(std::move(result).error());
    bool timed_out = false;
    if constexpr (requires { result->timed_out; }) timed_out = result->timed_out;
    fill(*std::move(result));
    Succeed(timed_out);
  }

 private:
  base::Result<registry::RecordPtr> Find(const std::string& name, const std::string& uid, registry::Access need,
                                         base::Status* entered);
  void ClaimOnce();
  void AnswerAs(const registry::Answer& first);
  void Tell(const base::Error* error) const { scope_.Tell(error, telling_, request_id()); }
  std::string_view request_id() const { return once_ ? std::string_view(once_->request_id) : ""; }
  void End(const grpc::Status& status);
  void OnCancel() override { scope_.cancellation()->Cancel(base::Cancelled()); }
  void OnDone() override { delete this; }
  // Neither of them waits: gRPC need not wake a thread of its own for them.
  bool InternalInlineable() override { return true; }

  CallScope scope_;
  std::function<void()> undo_;
  std::string socket_;  // the name it was called with, for errors
  Telling telling_;
  // Of a call with a request_id.
  struct OnceOnly {
    std::string request_id;
    uint64_t fingerprint = 0;
    google::protobuf::Message* response = nullptr;
    std::function<void()> run;
    bool mine = false;  // its end is to be remembered
  };
  std::optional<OnceOnly> once_;
};

// Of a method that the audit is not told of.
struct Untold {
  Telling operator()() const { return {}; }
};

// The front of every method: admits the call, then lets `body` begin it. `body` takes a Call& and returns an error
// while nothing has been started. `telling` makes the call's Telling, if there is an audit.
template <typename Request, typename Body, typename MakeTelling = Untold>
grpc::ServerUnaryReactor* Serve(Core& core, const grpc::CallbackServerContext& context, Method method,
                                const Request& request, Body body, MakeTelling telling = {}) {
  Call* const call = new Call(core, context, method);
  if (core.trail.on()) call->TellAs(telling());
  base::Status status = call->Admit(request);
  if (status.ok()) status = body(*call);
  if (!status.ok()) call->Fail(std::move(status).error());
  return call;
}

// The same for a method whose request has a request_id.
template <typename Request, typename Body, typename MakeTelling = Untold>
grpc::ServerUnaryReactor* ServeOnce(Core& core, const grpc::CallbackServerContext& context, Method method,
                                    const Request& request, google::protobuf::Message* response, Body body,
                                    MakeTelling telling = {}) {
  const auto once = [&](Call& call) -> base::Status {
    if (request.request_id().empty()) return body(call);
    return call.Once(request.request_id(), request, response, [&call, body] {
      base::Status status = body(call);
      if (status.ok()) return;
      call.TakeClaim().Forget();  // nothing was begun: a repeat may be let in
      call.Fail(std::move(status).error());
    });
  };
  return Serve(core, context, method, request, once, std::move(telling));
}

}  // namespace socketeer::rpc
