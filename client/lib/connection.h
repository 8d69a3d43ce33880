// How every RPC of the library is made. Private to the library.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "google/rpc/status.pb.h"
#include "grpcpp/client_context.h"
#include "grpcpp/support/status.h"
#include "proto/wire/traceparent.h"
#include "socketeer/call_options.h"
#include "socketeer/host.h"
#include "socketeer/stubs.h"

namespace socketeer {

// Lets a Cancellation reach one call for as long as this lives.
class CancellationScope {
 public:
  // `cancellation` may be null; both outlive this.
  CancellationScope(Cancellation* cancellation, grpc::ClientContext* context);
  // The same for what is no call. `end` is called on whichever thread cancels, here if that has been; it must not call
  // the cancellation.
  CancellationScope(Cancellation* cancellation, std::function<void()> end);
  // `end` is called no more.
  ~CancellationScope();
  CancellationScope(const CancellationScope&) = delete;
  CancellationScope& operator=(const CancellationScope&) = delete;

 private:
  Cancellation* const cancellation_;
};

namespace internal {

// The stubs of one daemon, the session that calls are made in, and what applies to every call through them. Immutable,
// so thread-safe; shared by Host and its RemoteSockets.
class Connection {
 public:
  // `session`: "sessions/{id}"; empty: none is named.
  // `probe`: what stands in TLS's way, see tls_probe.h; null: nobody can say. It takes at most so long, and ends early
  // when it is cancelled.
  using Probe = std::function<std::string(absl::Duration, Cancellation*)>;
  Connection(Stubs stubs, std::string endpoint, HostOptions options, std::string session = "", Probe probe = nullptr)
      : stubs_(std::move(stubs)),
        endpoint_(std::move(endpoint)),
        options_(std::move(options)),
        session_(std::move(session)),
        probe_(std::move(probe)) {
    if (stubs_.attach == nullptr && stubs_.channel != nullptr) stubs_.attach = NewAttachStub(stubs_.channel);
  }

  // The same with another session.
  std::shared_ptr<Connection> InSession(const std::string& session) const {
    return std::make_shared<Connection>(stubs_, endpoint_, options_, session, probe_);
  }

  const std::string& endpoint() const { return endpoint_; }
  const Stubs& stubs() const { return stubs_; }
  const HostOptions& options() const { return options_; }
  const std::string& session() const { return session_; }

  template <typename Stub, typename Request, typename Response>
  using Method = grpc::Status (Stub::*)(grpc::ClientContext*, const Request&, Response*);

  // A call that never waits.
  template <typename Stub, typename Request, typename Response>
  absl::StatusOr<Response> Call(const std::shared_ptr<Stub>& stub, Method<Stub, Request, Response> method,
                                const Request& request, const CallOptions& options) const {
    return CallWithin(options_.answer_time, stub, method, request, options);
  }

  // A call that waits for at most the timeout that CallOptions say.
  template <typename Stub, typename Request, typename Response>
  absl::StatusOr<Response> CallWaiting(const std::shared_ptr<Stub>& stub, Method<Stub, Request, Response> method,
                                       Request request, const CallOptions& options) const {
    if (options.timeout.has_value()) {
      SetTimeout(*options.timeout, request);
    } else if (!request.has_timeout()) {
      SetTimeout(options_.default_timeout, request);
    }
    const absl::Duration within =
        request.has_timeout()
            ? absl::Seconds(request.timeout().seconds()) + absl::Nanoseconds(request.timeout().nanos()) + options_.grace
            : absl::InfiniteDuration();
    return CallWithin(within, stub, method, request, options);
  }

  // A call that ends `within` this time, or at the options' deadline, whatever they say of its timeout.
  template <typename Stub, typename Request, typename Response>
  absl::StatusOr<Response> CallWithin(absl::Duration within, const std::shared_ptr<Stub>& stub,
                                      Method<Stub, Request, Response> method, const Request& request,
                                      const CallOptions& options) const {
    grpc::ClientContext context;
    EnterSession<Stub>(context);
    within = std::min(within, options.deadline - absl::Now());
    if (within != absl::InfiniteDuration()) context.set_deadline(DeadlineAfter(within));
    const CancellationScope scope(options.cancellation, &context);
    Response response;
    const grpc::Status status = ((*stub).*method)(&context, request, &response);
    if (!status.ok()) return ToStatusWithCause(status, options.cancellation, options.deadline);
    return response;
  }

  // Puts the session and the token into a call's metadata. A call about sessions names its own and is made in none, so
  // that one that ended does not stand in the way of the next; health is not of this API.
  template <typename Stub>
  void EnterSession(grpc::ClientContext& context) const {
    Enter(context, std::is_same_v<Stub, v1::SocketService::StubInterface> ||
                       std::is_same_v<Stub, v1::HostService::StubInterface> ||
                       std::is_same_v<Stub, v1::CoordinationService::StubInterface>);
  }
  void Enter(grpc::ClientContext& context, bool in_session) const {
    if (in_session && !session_.empty()) context.AddMetadata("socketeer-session", session_);
    const std::string& token = options_.credentials.token;
    if (!token.empty()) context.AddMetadata("authorization", "Bearer " + token);
    const std::string& traceparent = options_.traceparent;
    if (wire::IsTraceparent(traceparent)) {
      context.AddMetadata(wire::kTraceparentMetadata, traceparent.substr(0, wire::kTraceparentSize));
    }
  }

  // Waits until there is a connection, at most `within`. A thread that only slept instead would keep it from coming:
  // gRPC reads a connection that is being made while a thread waits in a call or here, and else every 5 s.
  void AwaitConnected(absl::Duration within) const {
    if (stubs_.channel != nullptr) stubs_.channel->WaitForConnected(DeadlineAfter(within));
  }

  // gRPC's, of a call that ends so.
  static std::chrono::system_clock::time_point DeadlineAfter(absl::Duration within);

  // With the daemon's details as payloads; an unreachable daemon is told in words.
  absl::Status ToStatus(const grpc::Status& status) const;
  // The same, and of a daemon that is there, but with which TLS fails, why: it may have to be asked, which takes up to
  // some seconds, but not longer than until the deadline; CANCELLED when the caller gives up meanwhile. `cancellation`
  // may be null.
  absl::Status ToStatusWithCause(const grpc::Status& status, Cancellation* cancellation,
                                 absl::Time deadline = absl::InfiniteFuture()) const;
  // The same of an error that came in an answer.
  static absl::Status ToStatus(const google::rpc::Status& status);

 private:
  template <typename Request>
  static void SetTimeout(absl::Duration timeout, Request& request) {
    request.clear_timeout();
    if (timeout == absl::InfiniteDuration()) return;
    const int64_t seconds = absl::IDivDuration(timeout, absl::Seconds(1), &timeout);
    request.mutable_timeout()->set_seconds(seconds);
    request.mutable_timeout()->set_nanos(static_cast<int32_t>(absl::ToInt64Nanoseconds(timeout)));
  }

  Stubs stubs_;
  const std::string endpoint_;
  const HostOptions options_;
  const std::string session_;
  const Probe probe_;
};

}  // namespace internal
}  // namespace socketeer
