#include "socketeer/host.h"

#include <algorithm>
#include <utility>

#include "client/lib/channel.h"
#include "client/lib/connection.h"
#include "client/lib/tls_probe.h"
#include "socketeer/error.h"
#include "socketeer/status_macros.h"

namespace socketeer {
namespace {

using Sockets = v1::SocketService::StubInterface;

constexpr int kPageSize = 1'000;

}  // namespace

absl::StatusOr<Host> Host::Connect(std::string_view endpoint, HostOptions options) {
  SOCKETEER_ASSIGN_OR_RETURN(const internal::Target target, internal::ParseTarget(endpoint));
  SOCKETEER_RETURN_IF_ERROR(internal::CheckCredentials(target, options.credentials));
  const std::shared_ptr<grpc::Channel> channel =
      internal::MakeChannel(target, {}, options.credentials, options.connect_time);
  Stubs stubs{.sockets = v1::SocketService::NewStub(channel),
              .sessions = v1::SessionService::NewStub(channel),
              .host = v1::HostService::NewStub(channel),
              .health = grpc::health::v1::Health::NewStub(channel),
              .channel = channel,
              .coordination = v1::CoordinationService::NewStub(channel)};
  internal::Connection::Probe probe;
  if (!target.host.empty()) {
    probe = [target, credentials = options.credentials, longest = options.connect_time](absl::Duration within,
                                                                                        Cancellation* cancellation) {
      return internal::WhyNoTls(target.host, target.port, credentials, std::min(within, longest), cancellation);
    };
  }
  return Host(std::make_shared<internal::Connection>(std::move(stubs), target.endpoint, std::move(options), "",
                                                     std::move(probe)));
}

Host::Host(Stubs stubs, std::string endpoint, HostOptions options)
    : connection_(std::make_shared<internal::Connection>(std::move(stubs), std::move(endpoint), std::move(options))) {}

Host::Host(std::shared_ptr<internal::Connection> connection) : connection_(std::move(connection)) {}

const std::string& Host::endpoint() const { return connection_->endpoint(); }

const std::string& Host::session() const { return connection_->session(); }

absl::StatusOr<RemoteSocket> Host::Open(v1::OpenSocketRequest request, const CallOptions& options) const {
  const auto& stub = connection_->stubs().sockets;
  // Only connect waits; a timeout without it would be an empty promise.
  SOCKETEER_ASSIGN_OR_RETURN(v1::OpenSocketResponse response,
                             request.has_connect()
                                 ? connection_->CallWaiting(stub, &Sockets::OpenSocket, std::move(request), options)
                                 : connection_->Call(stub, &Sockets::OpenSocket, request, options));
  if (response.timed_out()) {
    return TimedOutError("connect: no result in time; nothing was left behind");
  }
  RemoteSocket socket(connection_, std::move(*response.mutable_socket()), RemoteSocket::Ownership::kOwned);
  socket.failed_attempts_.assign(response.failed_attempts().begin(), response.failed_attempts().end());
  return socket;
}

absl::StatusOr<RemoteSocket> Host::Find(std::string_view name, const CallOptions& options) const {
  v1::GetSocketRequest request;
  request.set_name(std::string(name));
  SOCKETEER_ASSIGN_OR_RETURN(v1::Socket socket,
                             connection_->Call(connection_->stubs().sockets, &Sockets::GetSocket, request, options));
  return Handle(std::move(socket));
}

RemoteSocket Host::Handle(std::string_view name) const {
  v1::Socket socket;
  socket.set_name(std::string(name));
  return Handle(std::move(socket));
}

RemoteSocket Host::Handle(v1::Socket socket) const {
  return RemoteSocket(connection_, std::move(socket), RemoteSocket::Ownership::kBorrowed);
}

absl::StatusOr<std::vector<v1::Socket>> Host::List(std::string_view filter, const CallOptions& options) const {
  v1::ListSocketsRequest request;
  request.set_filter(std::string(filter));
  request.set_page_size(kPageSize);
  std::vector<v1::Socket> sockets;
  do {
    SOCKETEER_ASSIGN_OR_RETURN(
        v1::ListSocketsResponse page,
        connection_->Call(connection_->stubs().sockets, &Sockets::ListSockets, request, options));
    for (v1::Socket& socket : *page.mutable_sockets()) sockets.push_back(std::move(socket));
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  return sockets;
}

absl::StatusOr<v1::AwaitSocketsResponse> Host::Await(v1::AwaitSocketsRequest request,
                                                     const CallOptions& options) const {
  return connection_->CallWaiting(connection_->stubs().sockets, &Sockets::AwaitSockets, std::move(request), options);
}

absl::StatusOr<v1::Host> Host::GetHost(const CallOptions& options) const {
  return connection_->Call(connection_->stubs().host, &v1::HostService::StubInterface::GetHost, v1::GetHostRequest(),
                           options);
}

absl::StatusOr<v1::Caller> Host::GetCaller(const CallOptions& options) const {
  return connection_->Call(connection_->stubs().host, &v1::HostService::StubInterface::GetCaller,
                           v1::GetCallerRequest(), options);
}

absl::StatusOr<v1::Quota> Host::GetQuota(const CallOptions& options) const {
  return connection_->Call(connection_->stubs().host, &v1::HostService::StubInterface::GetQuota, v1::GetQuotaRequest(),
                           options);
}

absl::StatusOr<grpc::health::v1::HealthCheckResponse> Host::CheckHealth(const CallOptions& options) const {
  return connection_->Call(connection_->stubs().health, &grpc::health::v1::Health::StubInterface::Check,
                           grpc::health::v1::HealthCheckRequest(), options);
}

}  // namespace socketeer
