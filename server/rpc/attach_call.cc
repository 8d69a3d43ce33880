#include "server/rpc/attach_call.h"

#include <algorithm>
#include <string>
#include <utility>

#include "server/rpc/attach.h"
#include "server/rpc/convert.h"
#include "server/rpc/unknown_fields.h"

namespace socketeer::rpc {

base::Error Attach::OutOfPlace(const Request& frame, const char* allowed) {
  const auto* const field = frame.GetDescriptor()->FindFieldByNumber(frame.frame_case());
  return base::InvalidField("frame", field == nullptr ? "none" : field->name(), allowed);
}

base::Status Attach::Check(const Request& frame) {
  if (auto unknown = FirstUnknownField(frame)) return base::UnknownField(*unknown);
  if (record_) return base::Ok();
  if (!frame.has_open()) return OutOfPlace(frame, "open, as the first frame");
  return FindSocket(frame.open());
}

base::Status Attach::FindSocket(const v1::AttachOpen& open) {
  auto id = SocketIdOf(open.name(), "open.name");
  if (!id.ok()) return std::move(id).error();
  auto record = core().registry.Find(*id, open.uid(), scope().identity());
  if (!record.ok()) return std::move(record).error();
  if (auto status = scope().EnterSessionOf(*record); !status.ok()) return status;
  if (open.has_receive_offset()) terms_.receive_offset = open.receive_offset();
  if (open.has_send_offset()) terms_.send_offset = open.send_offset();
  terms_.takeover = open.takeover();
  auto window = WindowOf(open.receive_window(), "open.receive_window");
  if (!window.ok()) return std::move(window).error();
  terms_.receive_window = *window;
  window = WindowOf(open.send_window(), "open.send_window");
  if (!window.ok()) return std::move(window).error();
  terms_.send_window = *window;
  if (auto status = ReserveSendWindow(); !status.ok()) return status;
  record_ = *record;
  // Ended from outside, it leaves the socket at once, also while gRPC waits for a caller who does not read. Last: it
  // may end the call.
  scope().cancellation()->Set([weak = Weak()](const base::Error& why) {
    const auto self = weak.lock();
    if (!self) return;
    self->End(why);
    self->PostLeave();
  });
  return base::Ok();
}

base::Result<uint64_t> Attach::WindowOf(uint64_t given, const char* field) {
  const uint64_t most = core().limits.max_retained_bytes_per_socket;
  if (given == 0) return std::min(base::kDefaultWindowBytes, most);
  if (given > most) return base::InvalidField(field, std::to_string(given), "0 to " + std::to_string(most));
  return given;
}

base::Status Attach::ReserveSendWindow() {
  const uint64_t most = core().limits.max_send_window_bytes;
  std::atomic<uint64_t>& windows = core().send_windows;
  uint64_t used = windows.load();
  do {
    if (terms_.send_window > most - used) return base::LimitReached("max_send_window_bytes", most);
  } while (!windows.compare_exchange_weak(used, used + terms_.send_window));
  reserved_ = terms_.send_window;
  return base::Ok();
}

void Attach::OnArrived() {
  if (!record_) {
    Arrived arrived = TakeArrived();
    return End(arrived.error ? *std::move(arrived.error) : OutOfPlace({}, "open, as the first frame"));
  }
  record_->shard().RunOrPost([weak = Weak()] {
    if (const auto self = weak.lock()) self->HandleArrived();
  });
}

void Attach::PostLeave() {
  if (!record_) return;
  record_->shard().Post([weak = Weak()] {
    if (const auto self = weak.lock()) self->Leave();
  });
}

// A caller who reads slowly finds few large frames and the newest acknowledgement; so what waits here is bounded by its
// window.
bool Attach::Merge(Response& queued, const Response& next) {
  if (queued.has_acknowledge() && next.has_acknowledge()) {
    queued.mutable_acknowledge()->set_offset(next.acknowledge().offset());
    return true;
  }
  if (!queued.has_data() || !next.has_data()) return false;
  std::string& bytes = *queued.mutable_data()->mutable_data();
  if (queued.data().offset() + bytes.size() != next.data().offset()) return false;  // another one is between
  if (bytes.size() + next.data().data().size() > base::kMaxFrameBytes) return false;
  bytes += next.data().data();
  return true;
}

void Attach::OnSending(const Response& frame) {
  if (frame.has_data()) given_.store(frame.data().offset() + frame.data().data().size());
  if (frame.has_options()) options_pending_.store(false);
}

grpc::ServerBidiReactor<v1::AttachSocketRequest, v1::AttachSocketResponse>* StartAttach(
    Core& core, const grpc::CallbackServerContext& context) {
  const auto attach = std::make_shared<Attach>(core, context);
  attach->Start();
  return attach.get();
}

}  // namespace socketeer::rpc
