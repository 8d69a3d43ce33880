#include "server/rpc/attach_listener.h"

#include "server/rpc/convert.h"
#include "server/rpc/describe.h"

namespace socketeer::rpc {
namespace {

// What a listener of ours accepts becomes a record of ours.
registry::RecordPtr RecordOf(const std::shared_ptr<net::SocketObserver>& observer) {
  return std::static_pointer_cast<registry::Record>(observer);
}

}  // namespace

base::Result<std::shared_ptr<net::SocketObserver>> ListenerFrames::Reserve() {
  const registry::RecordPtr& listener = call_->record_;
  const registry::SessionPtr session = call_->scope().SessionForAccepted(listener);
  if (const auto ended = session->ended(); ended != registry::CloseReason::kNone) {
    return base::SessionEnded(session->name(), CloseReasonWord(ended));
  }
  auto reserved = call_->core().registry.Reserve("", session, call_->labels_, &listener->shard(), net::Shard::NextId());
  if (!reserved.ok()) return std::move(reserved).error();
  return std::shared_ptr<net::SocketObserver>(*std::move(reserved));
}

base::Status ListenerFrames::Adopt(const std::shared_ptr<net::SocketObserver>& becomes, net::AcceptResult accepted) {
  const registry::RecordPtr record = RecordOf(becomes);
  net::Shard& shard = call_->record_->shard();  // an accepted socket stays on its listener's loop
  shard.Adopt(record->handle(), std::move(accepted), record);
  // The listener may have moved since the call began.
  auto status = call_->core().registry.Publish(record, call_->scope().SessionForAccepted(call_->record_));
  if (!status.ok()) {
    shard.Discard(record->handle(), [] {});
  } else if (call_->core().trail.on()) {
    audit::Event event = call_->core().trail.Begin("accept");
    Describe(nullptr, &event);
    Describe(call_->scope().caller(), &event);
    event.Text("listener", call_->record_->name());
    Describe(call_->core().registry.Look(record), &event);
    call_->core().trail.Record(event);
  }
  return status;
}

void ListenerFrames::OnConnection(uint64_t sequence, const std::shared_ptr<net::SocketObserver>& became) {
  v1::AttachSocketResponse response;
  response.mutable_accepted()->set_sequence(sequence);
  const registry::RecordPtr record = RecordOf(became);
  if (record->owner() == call_->scope().identity()) {
    ToProto(call_->core().registry.Look(record), response.mutable_accepted()->mutable_socket());
  }
  call_->SendMessage(std::move(response));
}

void ListenerFrames::OnReceiveFailure(uint64_t sequence, base::Error error) {
  v1::AttachSocketResponse response;
  response.mutable_receive_failure()->set_sequence(sequence);
  *response.mutable_receive_failure()->mutable_error() = ToRichStatus(call_->Told(error));
  call_->SendMessage(std::move(response));
}

}  // namespace socketeer::rpc
