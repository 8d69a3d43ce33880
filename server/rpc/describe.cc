#include "server/rpc/describe.h"

#include <string_view>

#include "server/base/printable.h"
#include "server/net/address.h"
#include "server/net/errno_table.h"

namespace socketeer::rpc {
namespace {

// More of a text is not shown anyway.
std::string_view Front(std::string_view text) { return text.substr(0, audit::kMaxTextBytes + 1); }

std::string WithPort(std::string_view host, const std::string& scope, uint32_t port) {
  const bool brackets = host.find(':') != std::string_view::npos;
  const std::string zone = scope.empty() ? "" : "%" + std::string(Front(scope));
  return (brackets ? "[" : "") + std::string(Front(host)) + zone + (brackets ? "]:" : ":") + std::to_string(port);
}

const char* OriginWord(base::Origin origin) {
  switch (origin) {
    case base::Origin::kKernel:
      return "KERNEL";
    case base::Origin::kPolicy:
      return "POLICY";
    case base::Origin::kRegistry:
      return "REGISTRY";
    case base::Origin::kLimit:
      return "LIMIT";
    case base::Origin::kDaemon:
      break;
  }
  return "DAEMON";
}

std::string AddressIn(const std::string& sockaddr_bytes) {
  return net::SocketAddress::FromKernel(sockaddr_bytes.data(), sockaddr_bytes.size()).ToString();
}

}  // namespace

std::string TextOf(const v1::Endpoint& endpoint) {
  switch (endpoint.address_case()) {
    case v1::Endpoint::kInet:
      return WithPort(endpoint.inet().ip(), endpoint.inet().scope(), endpoint.inet().port());
    case v1::Endpoint::kNamed:
      return WithPort(endpoint.named().host(), "", endpoint.named().port());
    case v1::Endpoint::kUnixDomain:
      if (endpoint.unix_domain().has_abstract_name()) {
        return "@" + base::Printable(Front(endpoint.unix_domain().abstract_name()));
      }
      return base::Printable(Front(endpoint.unix_domain().path()));
    case v1::Endpoint::kRaw: {
      auto address = net::SocketAddress::FromRaw(endpoint.raw());
      return address.ok() ? address->ToString() : "raw: " + std::to_string(endpoint.raw().size()) + " bytes";
    }
    case v1::Endpoint::ADDRESS_NOT_SET:
      break;
  }
  return "";
}

void Describe(const base::Error* error, audit::Event* event) {
  if (error == nullptr) {
    event->Text("result", "OK");
    return;
  }
  event->Text("result", error->reason).Text("origin", OriginWord(error->origin));
  if (error->errno_number != 0) event->Number("errno", error->errno_number);
  event->Text("system_call", error->system_call).Text("message", error->message);
  event->Text("local", AddressIn(error->local)).Text("peer", AddressIn(error->peer));
}

void Describe(const Caller& caller, audit::Event* event) {
  event->Text("identity", caller.identity).Text("caller", caller.address ? *caller.address : "unknown");
}

void Describe(const v1::Socket& socket, audit::Event* event) {
  if (socket.name().empty()) return;  // there is none
  event->Text("socket", socket.name()).Text("uid", socket.uid());
  event->Text("kind", socket.kind()).Text("session", socket.session());
  event->Text("local", TextOf(socket.local())).Text("peer", TextOf(socket.peer()));
}

void Describe(const registry::View& socket, audit::Event* event) {
  event->Text("socket", socket.name).Text("uid", socket.uid);
  event->Text("kind", socket.info.kind.Word()).Text("session", socket.session);
  event->Text("local", socket.info.local.ToString()).Text("peer", socket.info.peer.ToString());
}

void DescribeClosed(const registry::View& socket, audit::Event* event) {
  Describe(socket, event);
  event->Text("why", CloseReasonWord(socket.close_reason));
  event->Number("bytes_sent", socket.bytes_sent).Number("bytes_received", socket.bytes_received);
  if (!socket.info.kind.IsStream()) {
    event->Number("datagrams_sent", socket.datagrams_sent).Number("datagrams_received", socket.datagrams_received);
  }
  if (socket.accepted > 0) event->Number("accepted", socket.accepted);
  event->Microseconds("lifetime_us", socket.close_time - socket.create_time);
}

void Describe(const v1::OpenSocketRequest& request, const v1::OpenSocketResponse& response, audit::Event* event) {
  event->Text("ask_id", Front(request.socket_id()));
  event->Text("ask_bind", TextOf(request.bind())).Text("ask_connect", TextOf(request.connect()));
  event->Yes("listen", request.has_listen());
  std::vector<std::string> failed;
  for (const v1::FailedAttempt& each : response.failed_attempts()) {
    failed.push_back(TextOf(each.peer()) + " " + each.errno_name());
  }
  event->Texts("failed_attempts", failed).Yes("timed_out", response.timed_out());
  Describe(response.socket(), event);
}

void Describe(const v1::BindSocketRequest& request, const v1::Socket& response, audit::Event* event) {
  event->Text("ask_bind", TextOf(request.local()));
  Describe(response, event);
}

void Describe(const v1::ConnectSocketRequest& request, const v1::ConnectSocketResponse& response, audit::Event* event) {
  event->Text("ask_connect", TextOf(request.peer())).Yes("disconnect", request.disconnect());
  event->Yes("timed_out", response.timed_out());
  Describe(response.socket(), event);
}

void Describe(const v1::ListenSocketRequest& request, const v1::Socket& response, audit::Event* event) {
  if (request.has_backlog()) event->Number("backlog", request.backlog());
  Describe(response, event);
}

void Describe(const v1::AcceptSocketRequest& request, const v1::AcceptSocketResponse& response, audit::Event* event) {
  event->Text("listener", Front(request.name())).Text("ask_id", Front(request.socket_id()));
  event->Yes("timed_out", response.timed_out()).Yes("replayed", response.replayed());
  Describe(response.socket(), event);
}

void Describe(const v1::TransferSocketRequest& request, const v1::Socket& response, audit::Event* event) {
  event->Text("ask_session", Front(request.session()));
  Describe(response, event);
}

void Describe(const v1::ShareSocketRequest& request, const v1::Socket& response, audit::Event* event) {
  const bool known = v1::Access_IsValid(request.access());
  event->Text("grantee", Front(request.identity()));
  event->Text("access", known ? v1::Access_Name(request.access()).substr(7) : std::to_string(request.access()));
  Describe(response, event);
}

void Describe(const v1::UnshareSocketRequest& request, const v1::Socket& response, audit::Event* event) {
  event->Text("grantee", Front(request.identity())).Text("access", "NONE");
  Describe(response, event);
}

void Describe(const v1::CreateSessionRequest& request, const v1::Session& response, audit::Event* event) {
  event->Text("ask_id", Front(request.session_id()));
  if (response.name().empty()) return;  // there is none
  const auto& ttl = response.ttl();
  event->Text("session", response.name());
  event->Microseconds("ttl_us", std::chrono::seconds(ttl.seconds()) + std::chrono::nanoseconds(ttl.nanos()));
}

}  // namespace socketeer::rpc
