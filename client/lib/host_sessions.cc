#include <utility>

#include "client/lib/connection.h"
#include "socketeer/host.h"
#include "socketeer/names.h"
#include "socketeer/session.h"
#include "socketeer/status_macros.h"

namespace socketeer {
namespace {

using Sessions = v1::SessionService::StubInterface;

constexpr int kSessionsPageSize = 1'000;

template <typename Request>
Request Naming(std::string_view session) {
  Request request;
  request.set_name(std::string(session));
  return request;
}

}  // namespace

absl::StatusOr<Host> Host::InSession(std::string_view session) const {
  SOCKETEER_ASSIGN_OR_RETURN(const std::string name, ParseSessionName(session));
  return Host(connection_->InSession(name));
}

absl::StatusOr<Session> Host::CreateSession(v1::CreateSessionRequest request, const CallOptions& options) const {
  SOCKETEER_ASSIGN_OR_RETURN(v1::Session session, connection_->Call(connection_->stubs().sessions,
                                                                    &Sessions::CreateSession, request, options));
  const absl::StatusOr<Host> host = InSession(session.name());
  if (!host.ok()) return absl::InternalError("the daemon answered CreateSession with a name that cannot be");
  return Session(*host, std::move(session));
}

absl::StatusOr<v1::Session> Host::GetSession(std::string_view session, const CallOptions& options) const {
  return connection_->Call(connection_->stubs().sessions, &Sessions::GetSession, Naming<v1::GetSessionRequest>(session),
                           options);
}

absl::StatusOr<v1::Session> Host::EndSession(std::string_view session, const CallOptions& options) const {
  SOCKETEER_ASSIGN_OR_RETURN(v1::EndSessionResponse response,
                             connection_->Call(connection_->stubs().sessions, &Sessions::EndSession,
                                               Naming<v1::EndSessionRequest>(session), options));
  return std::move(*response.mutable_session());
}

absl::StatusOr<std::vector<v1::Session>> Host::ListSessions(const CallOptions& options) const {
  v1::ListSessionsRequest request;
  request.set_page_size(kSessionsPageSize);
  std::vector<v1::Session> sessions;
  do {
    SOCKETEER_ASSIGN_OR_RETURN(
        v1::ListSessionsResponse page,
        connection_->Call(connection_->stubs().sessions, &Sessions::ListSessions, request, options));
    for (v1::Session& session : *page.mutable_sessions()) sessions.push_back(std::move(session));
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  return sessions;
}

}  // namespace socketeer
