// One RPC under way, of whatever shape: who makes it, in which session, and how it is told to end early. The daemon
// drains until the last one is gone.
//
// Part of the call's reactor. Admitted and entered on the thread of the handler; then constant, and read on the loops
// of its sockets too; destroyed on any thread.
#pragma once

#include <google/protobuf/message.h>
#include <grpcpp/support/server_callback.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "server/net/operation.h"
#include "server/rpc/cancellation.h"
#include "server/rpc/core.h"
#include "server/rpc/method.h"
#include "server/rpc/request_gate.h"

namespace socketeer::rpc {

// The metadata that names the session: "sessions/{id}".
inline constexpr char kSessionMetadata[] = "socketeer-session";

// What the audit is told of a call when it ends, beside that it was denied or its caller not believed.
struct Telling {
  const char* event = "";
  std::function<void(audit::Event*)> describe = nullptr;  // null: nothing
  bool failures_only = false;
  bool bounded = false;  // a denial of many that one call may bring: so many in a second (Trail::RecordRefusal)
};

class CallScope {
 public:
  CallScope(Core& core, const grpc::CallbackServerContext& context, Method method);
  ~CallScope();
  CallScope(const CallScope&) = delete;
  CallScope& operator=(const CallScope&) = delete;

  // Before anything else: may this call be served at all? Enters the session that it is made in.
  base::Status Admit(const google::protobuf::Message& request);
  // gRPC is about to forget the call: first thing in its OnDone().
  void OnDone() { core_.identities.Unwatch(id_, caller_); }
  // Renews the session, and holds it until this call is over; no effect when it is in it already. SESSION_ENDED.
  base::Status Enter(const registry::SessionPtr& session);
  // The same with the session that the socket is in now, and is moved to. Of another's socket, which is shared with the
  // caller: the call stays in its own session, and is cancelled when what it `need`s is withdrawn. Also
  // SOCKET_NOT_FOUND, GRANT_INSUFFICIENT.
  base::Status EnterSocket(const registry::RecordPtr& socket, registry::Access need);

  Core& core() const { return core_; }
  const std::string& identity() const { return caller_.identity; }
  const Caller& caller() const { return caller_; }
  // SocketError.operation of errors that do not say their own.
  const char* verb() const { return RowOf(method_).verb; }
  // Unique in the process; also the id of the call's operation.
  net::OperationId id() const { return id_; }
  base::MonotonicTime began() const { return began_; }
  base::MonotonicTime now() const { return core_.clock.Now(); }
  // The one that the metadata names, or the standing one. After Admit().
  const registry::SessionPtr& session() const { return sessions_.front(); }
  bool names_session() const { return names_session_; }
  // For whom its operations act; null: for the owner of the socket. After EnterSocket().
  const std::shared_ptr<const net::Actor>& actor() const { return actor_; }
  // Where what it accepts will live: in the session that it names, or with the listener, if that is its own.
  registry::SessionPtr SessionForAccepted(const registry::RecordPtr& listener) const {
    return names_session_ || actor_ ? session() : core_.registry.SessionOf(listener);
  }
  const std::shared_ptr<Cancellation>& cancellation() const { return cancellation_; }
  // gRPC knows that its caller has given it up; OnCancel() may still be to come.
  bool IsCut() const { return context_.IsCancelled(); }
  // It is about to end: whoever hears of that may make the next.
  void LeavePlace() { place_.GiveBack(); }
  // For a call that waits for no socket: the daemon's stop cancels it too.
  void CancelOnDrain();
  // To the audit, if there is one: how the call ended, or that a part of it was denied. `error`: null if it succeeded.
  void Tell(const base::Error* error, const Telling& telling = {}, std::string_view request_id = "") const;
  // How it ends, for CountEnd(), if not with OK.
  void NoteOutcome(Outcome outcome) { outcome_ = outcome; }
  void NoteFailure(const base::Error& error);
  // Once, right before gRPC is given its end: who hears of that finds it counted. `code`: gRPC's.
  void CountEnd(int code);
  // To the log, if calls are told there; when it is counted, or right after. `code`: gRPC's.
  void LogEnd(int code, std::string_view request_id = "", std::string_view socket = "") const;

 private:
  base::Status EnterOwn();
  // Of the caller's calls under way, which it is one of until it is gone.
  base::Status TakePlace(const google::protobuf::Message& request);
  base::Result<registry::SessionPtr> NamedSession() const;
  // A call that names no session, but is in another one now, does not end with the standing one.
  void LeaveStanding();
  registry::Session::Holder Holder() const;

  Core& core_;
  const Arrival arrival_ = Arrival::Take();
  const Method method_;
  const grpc::CallbackServerContext& context_;
  const Caller caller_;
  const net::OperationId id_;
  const base::MonotonicTime began_;
  const bool names_session_;
  const std::string traceparent_;  // of what the call is a part; "": nothing. Told when gRPC's context may be gone
  uint32_t places_ = 1;            // the calls that it counts for
  const std::shared_ptr<Cancellation> cancellation_;
  registry::SessionPtr own_session_;            // for Tell(), on whatever thread a call ends
  std::vector<registry::SessionPtr> sessions_;  // at most two: its own, and the one that HoldSession names
  registry::RecordPtr socket_;                  // whose session it is in; with actor_: which it uses by a grant
  std::shared_ptr<const net::Actor> actor_;     // null: it has no business with another's socket
  quota::Hold place_;                           // among the caller's calls
  bool has_drain_hook_ = false;
  Outcome outcome_ = kOkOutcome;
};

}  // namespace socketeer::rpc
