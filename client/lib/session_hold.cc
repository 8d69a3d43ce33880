#include <utility>

#include "client/lib/answer_stream.h"
#include "socketeer/session.h"
#include "socketeer/status_macros.h"

namespace socketeer {
namespace {

using HoldService = v1::SessionService::StubInterface;

}  // namespace

struct SessionHold::Stream {
  internal::AnswerStream<HoldService, v1::HoldSessionRequest, v1::HoldSessionResponse> answers;
};

SessionHold::SessionHold(std::shared_ptr<internal::Connection> connection, std::string_view session,
                         Cancellation* cancellation)
    : stream_(new Stream{{connection, connection->stubs().sessions, &HoldService::HoldSession, cancellation}}) {
  request_.set_name(std::string(session));
}

SessionHold::SessionHold(SessionHold&& other) noexcept = default;
SessionHold& SessionHold::operator=(SessionHold&& other) noexcept = default;
SessionHold::~SessionHold() = default;

absl::StatusOr<v1::Session> SessionHold::Next() {
  SOCKETEER_ASSIGN_OR_RETURN(v1::HoldSessionResponse response, stream_->answers.Next(request_));
  return std::move(*response.mutable_session());
}

SessionHold Host::HoldSession(std::string_view session, const CallOptions& options) const {
  return SessionHold(connection_, session, options.cancellation);
}

}  // namespace socketeer
