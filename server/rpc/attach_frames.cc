// The frames of an attached stream, on its socket's loop.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "server/rpc/attach_call.h"
#include "server/rpc/attach_datagrams.h"
#include "server/rpc/attach_listener.h"
#include "server/rpc/convert.h"

namespace socketeer::rpc {
namespace {

// Shares the slice's memory.
base::Chunk ChunkOf(grpc::Slice slice) {
  const auto owner = std::make_shared<const grpc::Slice>(std::move(slice));
  return {owner, {reinterpret_cast<const char*>(owner->begin()), owner->size()}};
}

}  // namespace

void Attach::HandleArrived() {
  Arrived arrived = TakeArrived();
  for (AttachRequest& frame : arrived.frames) {
    if (!attachment_ && !frame.message.has_open()) return;  // it is over
    if (auto status = Handle(frame); !status.ok()) return Fail(std::move(status).error());
  }
  if (arrived.error) return Fail(*std::move(arrived.error));
  if (arrived.over && attachment_ && !std::exchange(detaching_, true)) attachment_->Detach();
}

base::Status Attach::Handle(AttachRequest& frame) {
  if (detaching_) return OutOfPlace(frame, "none, behind detach");
  if (frame.data) {
    if (auto status = CheckTurn(frame, net::AttachKind::kStream); !status.ok()) return status;
    return HandleData(*frame.data);
  }
  const Request& message = frame.message;
  switch (message.frame_case()) {
    case Request::kOpen:
      if (opened_) return OutOfPlace(frame, "any but open, once it is opened");
      return HandleOpen();
    case Request::kAcknowledge:
      return attachment_->Acknowledge(message.acknowledge().offset());
    case Request::kDatagrams:
      if (auto status = CheckTurn(frame, net::AttachKind::kDatagrams); !status.ok()) return status;
      return HandleDatagrams(*frame.message.mutable_datagrams());
    case Request::kShutdown:
      if (kind_ == net::AttachKind::kListener) break;
      if (std::exchange(shut_, true)) return OutOfPlace(frame, "acknowledge, set_options or detach, behind shutdown");
      attachment_->Shutdown();
      return base::Ok();
    case Request::kSetOptions:
      return HandleOptions(message.set_options());
    case Request::kDetach:
      detaching_ = true;
      attachment_->Detach();
      return base::Ok();
    case Request::kData:  // is in frame.data
    case Request::FRAME_NOT_SET:
      break;
  }
  return OutOfPlace(frame, AllowedFrames());
}

base::Status Attach::CheckTurn(const AttachRequest& frame, net::AttachKind kind) const {
  if (kind_ != kind || !attachment_) return OutOfPlace(frame, AllowedFrames());
  if (shut_) return OutOfPlace(frame, "acknowledge, set_options or detach, behind shutdown");
  return base::Ok();
}

const char* Attach::AllowedFrames() const {
  switch (kind_) {
    case net::AttachKind::kStream:
      return "data, acknowledge, shutdown, set_options or detach";
    case net::AttachKind::kDatagrams:
      return "datagrams, acknowledge, shutdown, set_options or detach: the socket has datagrams or records";
    case net::AttachKind::kListener:
      break;
  }
  return "acknowledge, set_options or detach: the socket listens";
}

base::Status Attach::HandleOpen() {
  net::Socket* const socket = record_->shard().Find(record_->handle());
  if (socket == nullptr) {
    if (core().draining.load()) return base::Draining();
    return base::SocketGone(record_->id(), CloseReasonWord(core().registry.Look(record_).close_reason));
  }
  if (!net::MayAct(terms_.actor.get())) return base::GrantWithdrawn(record_->name());
  if (auto status = AttachTo(*socket); !status.ok()) return status;
  opened_ = true;
  Response response;
  v1::AttachOpened& out = *response.mutable_opened();
  const auto view = core().registry.LookAs(record_, scope().identity());
  if (!view) return base::GrantWithdrawn(record_->name());
  ToProto(*view, out.mutable_socket());
  out.set_receive_offset(attachment_->next());
  if (kind_ != net::AttachKind::kListener) out.set_send_offset(socket->sent());
  out.set_send_window(terms_.send_window);
  out.set_attachment(socket->attachment_id());
  SendMessage(std::move(response));
  attachment_->Begin();
  return base::Ok();
}

base::Status Attach::AttachTo(net::Socket& socket) {
  const auto keep = [this](auto attached) -> base::Status {
    if (!attached.ok()) return std::move(attached).error();
    attachment_ = *std::move(attached);
    return base::Ok();
  };
  switch (kind_) {
    case net::AttachKind::kStream:
      return keep(socket.Attach(terms_, Self()));
    case net::AttachKind::kDatagrams:
      return keep(socket.AttachDatagrams(terms_, std::make_shared<DatagramFrames>(Self())));
    case net::AttachKind::kListener:
      break;
  }
  return keep(socket.AttachListener(terms_, std::make_shared<ListenerFrames>(Self())));
}

base::Status Attach::HandleData(wire::DataFrame& data) {
  std::vector<base::Chunk> bytes;
  bytes.reserve(data.bytes.size());
  for (grpc::Slice& slice : data.bytes) bytes.push_back(ChunkOf(std::move(slice)));
  if (bytes.empty()) return base::InvalidField("data.data", "0 bytes", "at least one byte");
  return static_cast<net::Attachment&>(*attachment_).Send(data.offset, std::move(bytes));
}

base::Status Attach::HandleDatagrams(v1::AttachOutgoingDatagrams& frame) {
  auto datagrams = TakeDatagrams(frame, core().registry.KindOf(record_), core().limits);
  if (!datagrams.ok()) return std::move(datagrams).error();
  return static_cast<net::DatagramAttachment&>(*attachment_).Send(frame.sequence(), *std::move(datagrams));
}

base::Status Attach::HandleOptions(const v1::SocketOptions& options) {
  if (options_pending_.exchange(true)) {
    return base::InvalidField("frame", "set_options", "any other, before the answer to the last set_options");
  }
  auto list = FromProto(options);
  if (list.ok() && list->empty()) list = base::InvalidField("set_options", "none", "at least one option");
  if (list.ok()) {
    attachment_->SetOptions(*std::move(list));
  } else {
    base::Error error = std::move(list).error();
    error.operation = "setsockopt";
    OnOptions(std::move(error));
  }
  return base::Ok();
}

void Attach::Fail(base::Error error) {
  if (error.socket.empty() && record_) error.socket = record_->name();
  End(std::move(error));  // first: what is passed on now would not count as given
  Leave();
}

void Attach::Leave() {
  if (const auto attachment = std::exchange(attachment_, nullptr)) attachment->Leave();
  ReleaseSendWindow();
}

void Attach::SendMessage(Response message) { Send({.message = std::move(message)}); }

void Attach::OnReceived(uint64_t offset, base::Chunk bytes) {
  AttachResponse response{.offset = offset};
  response.bytes.push_back(std::move(bytes));
  Send(std::move(response));
}

void Attach::OnEndOfStream(uint64_t offset) {
  Response response;
  response.mutable_end_of_stream()->set_offset(offset);
  SendMessage(std::move(response));
}

void Attach::OnReceiveError(base::Error error) {
  Response response;
  *response.mutable_receive_error() = ToRichStatus(Told(error));
  SendMessage(std::move(response));
}

void Attach::OnAccepted(uint64_t offset) {
  Response response;
  response.mutable_acknowledge()->set_offset(offset);
  SendMessage(std::move(response));
}

void Attach::OnShutdown() {
  Response response;
  response.mutable_shutdown();
  SendMessage(std::move(response));
}

void Attach::OnSendError(base::Error error) {
  Response response;
  *response.mutable_send_error() = ToRichStatus(Told(error));
  SendMessage(std::move(response));
}

void Attach::OnOptions(base::Result<net::OptionList> options) {
  Response response;
  if (options.ok()) {
    ToProto(*options, response.mutable_options()->mutable_options());
  } else {
    *response.mutable_options()->mutable_error() = ToRichStatus(Told(options.error()));
  }
  SendMessage(std::move(response));
}

void Attach::OnDetached(std::optional<base::Error> why) {
  attachment_.reset();
  ReleaseSendWindow();
  if (why) {
    End(*std::move(why));
  } else {
    EndWhenSent();
  }
}

}  // namespace socketeer::rpc
