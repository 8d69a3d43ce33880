#include "client/lib/stream_receiver.h"

#include <string>
#include <utility>

#include "client/lib/stream_frames.h"

namespace socketeer::internal {
namespace {

constexpr uint64_t kDefaultWindowBytes = 262'144;  // AttachOpen.receive_window

absl::Status BreaksRule(const std::string& what) { return absl::InternalError(what); }

}  // namespace

StreamReceiver::StreamReceiver(std::optional<uint64_t> offset, uint64_t window)
    : named_(offset), asked_window_(window), window_(window == 0 ? kDefaultWindowBytes : window) {}

void StreamReceiver::FillOpen(v1::AttachOpen* open) {
  open->set_receive_window(asked_window_);
  if (opened_) named_ = consumed_;
  if (named_) open->set_receive_offset(*named_);
}

absl::Status StreamReceiver::Opened(const v1::AttachOpened& opened) {
  const uint64_t offset = opened.receive_offset();
  if (named_ && offset != *named_) {
    return BreaksRule("it begins at byte " + std::to_string(offset) + " and not at " + std::to_string(*named_));
  }
  if (!opened_) received_ = consumed_ = offset;
  opened_ = true;
  next_ = acknowledged_ = offset;
  call_over_ = false;
  return absl::OkStatus();
}

absl::StatusOr<absl::Cord> StreamReceiver::Received(const wire::DataFrame& frame) {
  const uint64_t size = frame.size();
  if (call_over_) return BreaksRule("bytes came behind the end of the stream");
  if (size == 0) return BreaksRule("it sent a frame without bytes");
  if (frame.offset != next_) {
    return BreaksRule("it sent bytes of offset " + std::to_string(frame.offset) + " and not of " +
                      std::to_string(next_));
  }
  if (size > acknowledged_ + window_ - next_) {
    return BreaksRule("it sent bytes up to " + std::to_string(next_ + size) + ", beyond the window, which ends at " +
                      std::to_string(acknowledged_ + window_));
  }
  next_ += size;
  if (next_ <= received_) return absl::Cord();
  if (over_by_error_) return absl::Cord();  // the error did not end the connection: they stay with the socket
  if (over_) return BreaksRule("bytes came behind the end of the stream");
  absl::Cord bytes = ToCord(frame);
  bytes.RemovePrefix(size - (next_ - received_));
  received_ = next_;
  return bytes;
}

absl::StatusOr<bool> StreamReceiver::Ended(std::optional<uint64_t> offset) {
  if (call_over_) return BreaksRule("it told the end of the stream twice");
  if (offset && *offset != next_) {
    return BreaksRule("it ended the stream at byte " + std::to_string(*offset) + " and not at " +
                      std::to_string(next_));
  }
  if (next_ < received_) {
    return BreaksRule("it ended the stream at byte " + std::to_string(next_) + ", and sent " +
                      std::to_string(received_) + " before");
  }
  call_over_ = true;
  if (!over_) over_by_error_ = !offset;
  return !std::exchange(over_, true);
}

}  // namespace socketeer::internal
