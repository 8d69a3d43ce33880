#include "client/lib/stream_sender.h"

#include <algorithm>
#include <string>
#include <utility>

#include "client/lib/stream_frames.h"

namespace socketeer::internal {
namespace {

// Several frames fit into a window, so that one is on its way while another one is sent there. Larger than the largest
// they gain nothing; smaller than the smallest they cost more than they carry.
constexpr uint64_t kFramesInWindow = 2;
constexpr uint64_t kMinFrameBytes = 4'096;
constexpr uint64_t kMaxFrameBytes = 262'144;

absl::Status Broken(const std::string& what) { return absl::InternalError(what); }

}  // namespace

size_t StreamSender::Add(const absl::Cord& data) {
  if (!opened_) return 0;
  const uint64_t end = accepted_ + window_;
  const size_t taken = std::min<uint64_t>(data.size(), end > sent_ ? end - sent_ : 0);
  kept_.Append(taken == data.size() ? data : data.Subcord(0, taken));
  sent_ += taken;
  return taken;
}

void StreamSender::Shutdown() {
  if (closing() || over_) return;
  closing_ = true;
  steps_.push_back({.kind = Step::Kind::kShutdown, .offset = sent_});
}

void StreamSender::SetOptions(const v1::SocketOptions& set) {
  answering_ = true;
  steps_.push_back({.kind = Step::Kind::kOptions, .offset = sent_, .options = set});
}

void StreamSender::Detach() {
  if (detaching_) return;
  detaching_ = true;
  steps_.push_back({.kind = Step::Kind::kDetach, .offset = sent_});
}

void StreamSender::FillOpen(v1::AttachOpen* open) const {
  open->set_send_window(window_);
  if (!opened_) {
    if (first_offset_) open->set_send_offset(*first_offset_);
  } else if (sent_ < accepted_) {
    open->set_send_offset(sent_);
  }
}

absl::Status StreamSender::Opened(const v1::AttachOpened& opened, bool* shut) {
  const uint64_t accepted = opened.send_offset();
  if (opened.send_window() == 0) return Broken("it granted no window");
  if (!opened_ && !first_offset_) base_ = sent_ = accepted;
  const uint64_t lowest = opened_ ? accepted_ : base_;
  // The daemon skips what lies below, if the caller began there; of what it was never sent it can have accepted
  // nothing.
  const bool skipping = opened_ ? sent_ < accepted_ : first_offset_.has_value();
  if (accepted < lowest || (accepted > sent_ && !skipping)) {
    return Broken("it accepted " + std::to_string(accepted) + " bytes, where " + std::to_string(lowest) + " to " +
                  std::to_string(sent_) + " can be; another stream may have sent to this socket");
  }
  const bool resumed = std::exchange(opened_, true);
  window_ = opened.send_window();
  accepted_ = accepted;
  if (over_) {
    wired_ = sent_;
  } else if (skipping) {
    wired_ = resumed ? sent_ : base_;
  } else {
    wired_ = accepted_;
  }
  DropAccepted();
  // If the answer was lost with the channel: a second shutdown may be an error by now.
  *shut = resumed && opened.socket().write_shutdown() && PopStep(Step::Kind::kShutdown);
  over_ |= *shut;
  for (Step& step : steps_) step.wired = false;
  detached_ = false;
  return absl::OkStatus();
}

std::optional<grpc::ByteBuffer> StreamSender::NextFrame() {
  if (!opened_) return std::nullopt;
  const auto step = std::find_if(steps_.begin(), steps_.end(), [](const Step& each) { return !each.wired; });
  const uint64_t end = step == steps_.end() ? sent_ : step->offset;
  if (wired_ < end) {
    const uint64_t credit = std::max(accepted_ + window_, wired_) - wired_;
    const uint64_t most = std::clamp(window_ / kFramesInWindow, kMinFrameBytes, kMaxFrameBytes);
    const uint64_t count = std::min({end - wired_, credit, most});
    if (count == 0) return std::nullopt;
    const wire::DataFrame frame = ToFrame(wired_, kept_.Subcord(wired_ - base_, count));
    wired_ += count;
    return wire::SerializeData(frame);
  }
  if (step == steps_.end()) return std::nullopt;
  step->wired = true;
  v1::AttachSocketRequest frame;
  if (step->kind == Step::Kind::kShutdown) frame.mutable_shutdown();
  if (step->kind == Step::Kind::kOptions) *frame.mutable_set_options() = step->options;
  if (step->kind == Step::Kind::kDetach) frame.mutable_detach();
  detached_ = step->kind == Step::Kind::kDetach;
  return wire::Serialize(frame);
}

absl::Status StreamSender::Accepted(uint64_t offset) {
  if (offset < accepted_ || offset > std::max(wired_, accepted_)) {
    return Broken("it acknowledged " + std::to_string(offset) + " bytes, where " + std::to_string(accepted_) + " to " +
                  std::to_string(std::max(wired_, accepted_)) + " can be");
  }
  accepted_ = offset;
  DropAccepted();
  return absl::OkStatus();
}

absl::Status StreamSender::ShutDown() {
  if (!PopStep(Step::Kind::kShutdown)) return Broken("it told a shutdown that nobody asked for");
  over_ = true;
  return absl::OkStatus();
}

absl::Status StreamSender::Answered() {
  if (!PopStep(Step::Kind::kOptions)) return Broken("it told of options that nobody set");
  answering_ = false;
  return absl::OkStatus();
}

absl::Status StreamSender::Failed() {
  if (over_) return Broken("it told an error of sending behind the end of it");
  over_ = true;
  std::erase_if(steps_, [](const Step& step) { return step.kind == Step::Kind::kShutdown; });
  dropped_.push_back(std::exchange(kept_, {}));  // the rest counts as gone
  base_ = wired_ = sent_;
  return absl::OkStatus();
}

bool StreamSender::PopStep(Step::Kind kind) {
  const auto step = std::find_if(steps_.begin(), steps_.end(), [&](const Step& each) { return each.kind == kind; });
  if (step == steps_.end() || !step->wired || (accepted_ < step->offset && !over_)) return false;
  steps_.erase(step);
  return true;
}

void StreamSender::DropAccepted() {
  const uint64_t to = std::min(accepted_, wired_);
  if (to <= base_) return;
  // The whole, not the prefix: a Subcord may be a copy, and then the original would go here.
  dropped_.push_back(kept_);
  kept_.RemovePrefix(to - base_);
  base_ = to;
}

}  // namespace socketeer::internal
