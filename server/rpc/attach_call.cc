#include "server/rpc/attach_call.h"

#include <algorithm>
#include <string>
#include <utility>

#include "server/rpc/attach.h"
#include "server/rpc/attach_datagrams.h"
#include "server/rpc/convert.h"
#include "server/rpc/request_scan.h"

namespace socketeer::rpc {
namespace {

// Shares the chunk's memory.
grpc::Slice SliceOf(const base::Chunk& chunk) {
  const auto release = [](void* share) { delete static_cast<base::Chunk*>(share); };
  return {const_cast<char*>(chunk.data()), chunk.size(), release, new base::Chunk(chunk)};
}

// Behind the datagrams or the connection that it holds.
std::optional<uint64_t> EndOf(const v1::AttachSocketResponse& message, net::AttachKind kind) {
  if (message.has_datagrams()) {
    return message.datagrams().sequence() + static_cast<uint64_t>(message.datagrams().datagrams_size());
  }
  if (message.has_accepted()) return message.accepted().sequence() + 1;
  // A listener's is of one that is still to come.
  if (message.has_receive_failure() && kind != net::AttachKind::kListener) {
    return message.receive_failure().sequence() + 1;
  }
  return std::nullopt;
}

// Both hold bytes. As Attach::Merge().
bool MergeBytes(AttachResponse& queued, AttachResponse& next) {
  if (queued.end() != next.offset || next.end() - queued.offset > base::kMaxFrameBytes) return false;
  for (base::Chunk& chunk : next.bytes) {
    if (!queued.bytes.back().Extend(chunk)) queued.bytes.push_back(std::move(chunk));
  }
  return true;
}

}  // namespace

uint64_t AttachResponse::end() const {
  uint64_t end = offset;
  for (const base::Chunk& chunk : bytes) end += chunk.size();
  return end;
}

base::Error Attach::OutOfPlace(const AttachRequest& frame, const char* allowed) {
  const int number = frame.data ? Request::kDataFieldNumber : static_cast<int>(frame.message.frame_case());
  const auto* const field = Request::descriptor()->FindFieldByNumber(number);
  return base::InvalidField("frame", field == nullptr ? "none" : field->name(), allowed);
}

base::Result<AttachRequest> Attach::Decode(grpc::ByteBuffer* bytes) {
  AttachRequest frame;
  frame.data = wire::ParsePlainData(*bytes);
  if (!frame.data) {
    auto weight = WeightOf(*bytes, *Request::descriptor());
    if (!weight.ok()) return std::move(weight).error();
    if (!wire::ParseOther(bytes, &frame))
      return base::InvalidField("frame", "malformed bytes", "a " + Request::descriptor()->name());
  }
  if (auto status = Check(frame); !status.ok()) return std::move(status).error();
  return frame;
}

base::Status Attach::Check(const AttachRequest& frame) {
  if (record_) return base::Ok();
  if (!frame.message.has_open()) return OutOfPlace(frame, "open, as the first frame");
  return FindSocket(frame.message.open());
}

base::Status Attach::FindSocket(const v1::AttachOpen& open) {
  auto id = SocketIdOf(open.name(), "open.name");
  if (!id.ok()) return std::move(id).error();
  auto record = core().registry.Find(*id, open.uid(), scope().identity());
  if (!record.ok()) return std::move(record).error();
  if (auto status = scope().EnterSocket(*record, registry::Access::kUse); !status.ok()) return status;
  terms_.actor = scope().actor();
  kind_ = net::AttachKindOf(core().registry.Look(*record).info);
  if (auto status = ReadTerms(open); !status.ok()) return status;
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

base::Status Attach::ReadTerms(const v1::AttachOpen& open) {
  if (open.has_receive_offset()) terms_.receive_offset = open.receive_offset();
  if (open.has_send_offset()) terms_.send_offset = open.send_offset();
  terms_.takeover = open.takeover();
  terms_.resumes = open.resumes();
  auto window = WindowOf(open.receive_window(), "open.receive_window");
  if (!window.ok()) return std::move(window).error();
  terms_.receive_window = *window;
  if (kind_ == net::AttachKind::kListener) return ReadListenerTerms(open);
  if (!open.labels().empty()) {
    return base::InvalidField("open.labels", open.labels().begin()->first, "absent: they are for a listener");
  }
  window = WindowOf(open.send_window(), "open.send_window");
  if (!window.ok()) return std::move(window).error();
  terms_.send_window = *window;
  return base::Ok();
}

base::Status Attach::ReadListenerTerms(const v1::AttachOpen& open) {
  constexpr char kAbsent[] = "absent: a listener sends nothing";
  if (open.has_send_offset()) {
    return base::InvalidField("open.send_offset", std::to_string(open.send_offset()), kAbsent);
  }
  if (open.send_window() != 0) {
    return base::InvalidField("open.send_window", std::to_string(open.send_window()), kAbsent);
  }
  labels_ = registry::Labels(open.labels().begin(), open.labels().end());
  return registry::CheckLabels(labels_, core().limits, "open.labels");
}

base::Result<uint64_t> Attach::WindowOf(uint64_t given, const char* field) {
  const bool bytes = kind_ == net::AttachKind::kStream;
  const uint64_t most = bytes ? core().limits.max_retained_bytes_per_socket : core().limits.max_window_datagrams;
  if (given == 0) return std::min(bytes ? base::kDefaultWindowBytes : base::kDefaultWindowDatagrams, most);
  if (given > most) return base::InvalidField(field, std::to_string(given), "0 to " + std::to_string(most));
  return given;
}

base::Status Attach::ReserveSendWindow() {
  const uint64_t most = core().limits.max_send_window_bytes;
  const uint64_t unit = kind_ == net::AttachKind::kDatagrams ? base::kDatagramWindowBytes : 1;
  const uint64_t bytes = terms_.send_window * unit;
  if (quota::Account* const account = scope().session()->account().get()) {
    auto taken = account->Take(quota::Count::kBufferedBytes, bytes);
    if (!taken.ok()) return std::move(taken).error();
    window_place_ = *std::move(taken);
  }
  std::atomic<uint64_t>& windows = core().send_windows;
  uint64_t used = windows.load();
  do {
    if (bytes > most - used) return base::LimitReached("max_send_window_bytes", most);
  } while (!windows.compare_exchange_weak(used, used + bytes));
  reserved_ = bytes;
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
// window. Acknowledgements and what comes in are of two directions, and pass each other; nothing else does.
Attach::Merging Attach::Merge(AttachResponse& queued, AttachResponse& next) {
  const auto comes_in = [](const AttachResponse& frame) {
    return !frame.bytes.empty() || frame.message.has_datagrams();
  };
  if (queued.message.has_acknowledge() && next.message.has_acknowledge()) {
    queued.message = std::move(next.message);
    return Merging::kDone;
  }
  if ((queued.message.has_acknowledge() && comes_in(next)) || (comes_in(queued) && next.message.has_acknowledge())) {
    return Merging::kMayPass;
  }
  if (!comes_in(queued) || !comes_in(next)) return Merging::kStaysBehind;
  const bool merged = next.bytes.empty() ? MergeDatagrams(queued, next) : MergeBytes(queued, next);
  return merged ? Merging::kDone : Merging::kStaysBehind;
}

grpc::ByteBuffer Attach::Encode(const AttachResponse& frame) {
  if (frame.message.has_options()) options_pending_.store(false);
  if (frame.message.has_acknowledge()) acknowledged_.store(frame.message.acknowledge().offset());
  if (const auto end = EndOf(frame.message, kind_)) given_.store(*end);
  if (frame.bytes.empty()) return wire::Serialize(frame.message);
  given_.store(frame.end());
  wire::DataFrame data{.offset = frame.offset};
  data.bytes.reserve(frame.bytes.size());
  for (const base::Chunk& chunk : frame.bytes) data.bytes.push_back(SliceOf(chunk));
  return wire::SerializeData(data);
}

grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* StartAttach(Core& core,
                                                                         const grpc::CallbackServerContext& context) {
  const auto attach = std::make_shared<Attach>(core, context);
  attach->Start();
  return attach.get();
}

}  // namespace socketeer::rpc
