// What the daemon's frames do to a stream.
#include <utility>

#include "client/lib/stream_core.h"
#include "socketeer/status_macros.h"

namespace socketeer::internal {
namespace {

using Response = v1::AttachSocketResponse;

absl::Status OutOfPlace(const char* what) { return absl::InternalError(what); }

// The error that a frame tells; what is none breaks the rules.
absl::Status ErrorIn(const google::rpc::Status& from, absl::Status* error) {
  *error = Connection::ToStatus(from);
  return error->ok() ? OutOfPlace("it told an error that is none") : absl::OkStatus();
}

}  // namespace

absl::Status StreamCore::Handle(wire::Frame<Response>& frame) {
  if (state_ == State::kOpening) {
    if (frame.data || !frame.message.has_opened()) return OutOfPlace("its first frame is not opened");
    return HandleOpened(*frame.message.mutable_opened());
  }
  tries_ = 0;  // the call is of use
  return frame.data ? HandleData(*frame.data) : HandleEvent(frame.message);
}

absl::Status StreamCore::HandleOpened(v1::AttachOpened& opened) {
  bool shut = false;
  SOCKETEER_RETURN_IF_ERROR(receiver_.Opened(opened));
  SOCKETEER_RETURN_IF_ERROR(sender_.Opened(opened, &shut));
  state_ = State::kOpen;
  retry_timer_.Stop();
  was_open_ = true;
  // Whoever comes next is this stream again, and means this socket and no namesake. If somebody else had it meanwhile,
  // it is theirs.
  open_.set_takeover(false);
  open_.set_resumes(opened.attachment());
  open_.set_uid(opened.socket().uid());
  Tell([opened = std::move(opened)](StreamObserver& observer) { observer.OnOpened(opened); });
  if (shut) Tell([](StreamObserver& observer) { observer.OnShutdown(); });
  return absl::OkStatus();
}

absl::Status StreamCore::HandleEvent(Response& frame) {
  absl::Status error;
  switch (frame.frame_case()) {
    case Response::kAcknowledge:
      SOCKETEER_RETURN_IF_ERROR(sender_.Accepted(frame.acknowledge().offset()));
      TellAccepted();
      return absl::OkStatus();
    case Response::kShutdown:
      SOCKETEER_RETURN_IF_ERROR(sender_.ShutDown());
      Tell([](StreamObserver& observer) { observer.OnShutdown(); });
      return absl::OkStatus();
    case Response::kOptions:
      return HandleOptions(*frame.mutable_options());
    case Response::kEndOfStream:
      return HandleReceiveEnd(frame.end_of_stream().offset(), absl::OkStatus());
    case Response::kReceiveError:
      SOCKETEER_RETURN_IF_ERROR(ErrorIn(frame.receive_error(), &error));
      return HandleReceiveEnd(std::nullopt, std::move(error));
    case Response::kSendError:
      SOCKETEER_RETURN_IF_ERROR(ErrorIn(frame.send_error(), &error));
      SOCKETEER_RETURN_IF_ERROR(sender_.Failed());
      send_error_ = error;
      Tell([error = std::move(error)](StreamObserver& observer) { observer.OnSendError(error); });
      return absl::OkStatus();
    case Response::kOpened:
      return OutOfPlace("it opened the stream twice");
    default:  // none, or one of another kind of socket
      return OutOfPlace("it sent a frame that has no place in a stream of bytes");
  }
}

absl::Status StreamCore::HandleData(const wire::DataFrame& frame) {
  SOCKETEER_ASSIGN_OR_RETURN(absl::Cord bytes, receiver_.Received(frame));
  if (bytes.empty()) return absl::OkStatus();
  TellReceived([bytes = std::move(bytes)](StreamObserver& observer) mutable { observer.OnReceived(std::move(bytes)); });
  return absl::OkStatus();
}

absl::Status StreamCore::HandleReceiveEnd(std::optional<uint64_t> offset, absl::Status error) {
  SOCKETEER_ASSIGN_OR_RETURN(const bool news, receiver_.Ended(offset));
  if (!news) return absl::OkStatus();
  TellReceived([error = std::move(error)](StreamObserver& observer) {
    if (error.ok()) return observer.OnEndOfStream();
    observer.OnReceiveError(error);
  });
  return absl::OkStatus();
}

absl::Status StreamCore::HandleOptions(v1::AttachOptions& answer) {
  SOCKETEER_RETURN_IF_ERROR(sender_.Answered());
  absl::StatusOr<v1::SocketOptions> options = answer.options();
  if (answer.has_error()) {
    absl::Status error;
    SOCKETEER_RETURN_IF_ERROR(ErrorIn(answer.error(), &error));
    options = std::move(error);
  }
  Tell([options = std::move(options)](StreamObserver& observer) { observer.OnOptions(options); });
  return absl::OkStatus();
}

void StreamCore::TellReceived(Event event) {
  Tell([this, event = std::move(event)](StreamObserver& observer) {
    {
      const Lock lock(mutex_);
      if (sender_.detaching()) return;
    }
    event(observer);
  });
}

void StreamCore::TellAccepted() {
  if (std::exchange(accepted_told_, true)) return;
  Tell([this](StreamObserver& observer) {
    uint64_t offset = 0;
    {
      const Lock lock(mutex_);
      accepted_told_ = false;
      offset = sender_.accepted();
    }
    observer.OnAccepted(offset);
  });
}

}  // namespace socketeer::internal
