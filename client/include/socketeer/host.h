// A daemon, and through it the sockets of its host.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "grpc/health/v1/health.pb.h"
#include "socketeer/call_options.h"
#include "socketeer/remote_socket.h"
#include "socketeer/v1/host_service.pb.h"
#include "socketeer/v1/session_service.pb.h"
#include "socketeer/v1/socket_service.pb.h"

namespace google::protobuf {
class Message;
class MethodDescriptor;
}  // namespace google::protobuf

namespace socketeer {

class Coordination;  // socketeer/coordination.h
class Session;       // socketeer/session.h
class SessionHold;   // socketeer/session.h
class Watcher;       // socketeer/watcher.h
struct Stubs;        // socketeer/stubs.h

// "unix:" and $XDG_RUNTIME_DIR/socketeer.sock, or /run/socketeer.sock for root.
// ErrorKind::kUnreachable when XDG_RUNTIME_DIR is not set.
absl::StatusOr<std::string> DefaultEndpoint();

// One daemon. Thread-safe; cheap to copy: copies share the connection, and so do the RemoteSockets
// made here, which may outlive it.
//
//   auto host = socketeer::Host::Connect("unix:/run/socketeer.sock");
//   socketeer::v1::OpenSocketRequest request;
//   request.set_type(socketeer::v1::SOCKET_TYPE_STREAM);
//   *request.mutable_connect() = *socketeer::ParseEndpoint("10.0.0.1:80", EndpointUse::kConnect);
//   auto socket = host->Open(request, {.timeout = absl::Seconds(2)});
//   if (!socket.ok()) std::cerr << socketeer::FormatError(socket.status());
//
// Repeating a call. The library repeats none by itself, so it sends no request_id: who repeats one that changes
// something puts an id of their own into the request, the same each time. (gRPC's own, "transparent" retries are of
// calls that no daemon has seen.)
class Host {
 public:
  // `endpoint`: "unix:PATH", a path with a slash in front ("/x", "./x"), or HOST[:7625].
  // INVALID_ARGUMENT when it is malformed, or when the options' credentials cannot be used there: certificates over a
  // UNIX socket, a token over TCP without TLS. Makes no call: a daemon that is not there is found by
  // the first call, which fails at once with ErrorKind::kUnreachable.
  static absl::StatusOr<Host> Connect(std::string_view endpoint, HostOptions options = {});

  // Through stubs of your own: a channel with other settings, or the generated mocks in a test.
  Host(Stubs stubs, std::string endpoint, HostOptions options = {});

  // As it was given to Connect, with its port.
  const std::string& endpoint() const;
  // "sessions/{id}", the session that calls are made in (InSession); empty: none is named.
  const std::string& session() const;

  // The same daemon and connection, with calls made in a session: its own, and those of the RemoteSockets made here.
  // What they open and accept lives in it. `session` is "ID" or "sessions/ID", INVALID_ARGUMENT when it is malformed;
  // whether there is such a session, the first call finds out.
  absl::StatusOr<Host> InSession(std::string_view session) const;
  // Makes a session, which the returned object holds and owns.
  absl::StatusOr<Session> CreateSession(v1::CreateSessionRequest request = {}, const CallOptions& options = {}) const;
  // Holds a session that exists, without owning it. Makes no call yet. Of the options the cancellation counts. Here and
  // below `session` is "sessions/{id}".
  SessionHold HoldSession(std::string_view session, const CallOptions& options = {}) const;
  absl::StatusOr<v1::Session> GetSession(std::string_view session, const CallOptions& options = {}) const;
  absl::StatusOr<v1::Session> EndSession(std::string_view session, const CallOptions& options = {}) const;
  // All of the caller's, from all pages.
  absl::StatusOr<std::vector<v1::Session>> ListSessions(const CallOptions& options = {}) const;

  // Makes a socket, which the returned handle owns. kTimedOut: connect had no result in time, and
  // nothing is left behind.
  absl::StatusOr<RemoteSocket> Open(v1::OpenSocketRequest request, const CallOptions& options = {}) const;
  // A handle of a socket that exists; it does not own it. `name` is "sockets/{id}".
  absl::StatusOr<RemoteSocket> Find(std::string_view name, const CallOptions& options = {}) const;
  // The same without a call: whether there is such a socket, the handle's first call finds out.
  RemoteSocket Handle(std::string_view name) const;
  // A handle of a socket that the daemon told of before; it stands for that one only, by its uid.
  RemoteSocket Handle(v1::Socket socket) const;

  // Every socket that `filter` admits (ListSocketsRequest.filter), from all pages.
  absl::StatusOr<std::vector<v1::Socket>> List(std::string_view filter, const CallOptions& options = {}) const;
  // Waits for conditions of many sockets. `timed_out` in the answer is no error.
  absl::StatusOr<v1::AwaitSocketsResponse> Await(v1::AwaitSocketsRequest request,
                                                 const CallOptions& options = {}) const;

  // The caller's sockets and then every change of them; or, with Watcher::revision() of a watch before, the changes
  // behind it. Makes no call yet. Of the options the cancellation counts.
  Watcher Watch(std::optional<uint64_t> revision = std::nullopt, const CallOptions& options = {}) const;

  absl::StatusOr<v1::Host> GetHost(const CallOptions& options = {}) const;
  // Who the daemon takes the caller for.
  absl::StatusOr<v1::Caller> GetCaller(const CallOptions& options = {}) const;
  // How much the caller may use of the daemon, and uses. It is answered also when no other call is any more.
  absl::StatusOr<v1::Quota> GetQuota(const CallOptions& options = {}) const;
  // grpc.health.v1 of the daemon as a whole.
  absl::StatusOr<grpc::health::v1::HealthCheckResponse> CheckHealth(const CallOptions& options = {}) const;

  // Any unary call of socketeer.v1, told by its descriptor, for programs that do not know the method when they are
  // built. A request with a field `timeout` that is set may wait that long; unset, it waits without bound. `response`
  // is untouched on an error. INVALID_ARGUMENT: the method streams, or the messages are not its own. It needs
  // Stubs::channel.
  absl::Status Call(const google::protobuf::MethodDescriptor& method, const google::protobuf::Message& request,
                    google::protobuf::Message* response, const CallOptions& options = {}) const;

 private:
  friend class Coordination;
  friend class Session;

  explicit Host(std::shared_ptr<internal::Connection> connection);

  std::shared_ptr<internal::Connection> connection_;
};

}  // namespace socketeer
