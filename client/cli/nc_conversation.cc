#include "client/cli/nc_conversation.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <limits>
#include <string>
#include <thread>
#include <utility>

#include "client/cli/interrupt.h"
#include "socketeer/error.h"
#include "socketeer/status_macros.h"

namespace socketeer::cli {
namespace {

// How often it is looked what the kernel has accepted: that is told to nobody. Idleness is measured this exactly.
constexpr int kLooksInIdleTime = 20;
constexpr absl::Duration kSeldomestLook = absl::Seconds(1);

}  // namespace

NcConversation::NcConversation(NcFarEnd& far_end, const NcManners& manners)
    : far_end_(far_end), manners_(manners), input_(far_end.block_bytes()), last_move_(Clock::now()) {}

absl::Status NcConversation::Run() {
  std::thread upload([this] { Upload(); });
  std::thread download([this] { Download(); });
  absl::Status end = Supervise();
  stop_reading_.Signal();
  if (!end.ok()) {
    far_end_.Cancel();
    stop_writing_.Signal();
  }
  upload.join();
  download.join();
  return end;
}

void NcConversation::Upload() {
  absl::Status end = manners_.silent ? absl::OkStatus() : UploadAll();
  {
    const std::lock_guard lock(mutex_);
    uploaded_ = std::move(end);
  }
  news_.Signal();
}

absl::Status NcConversation::UploadAll() {
  while (true) {
    SOCKETEER_ASSIGN_OR_RETURN(NcInput::Block block, input_.Read(stop_reading_));
    Moved();
    if (block.end && manners_.shut_down) SOCKETEER_RETURN_IF_ERROR(far_end_.ShutDown());
    if (block.end || block.stopped) return far_end_.Flush();
    SOCKETEER_RETURN_IF_ERROR(far_end_.Send(std::move(block.bytes)));
    Moved();
  }
}

void NcConversation::Download() {
  absl::Status end = DownloadAll();
  if (end.ok() && manners_.ends_output) {
    {
      const std::lock_guard lock(mutex_);
      ended_output_ = true;
    }
    output_.End();
  }
  {
    const std::lock_guard lock(mutex_);
    downloaded_ = std::move(end);
  }
  news_.Signal();
}

absl::Status NcConversation::DownloadAll() {
  while (true) {
    SOCKETEER_ASSIGN_OR_RETURN(std::optional<absl::Cord> bytes, far_end_.Receive());
    Moved();
    if (!bytes.has_value()) return absl::OkStatus();
    SOCKETEER_RETURN_IF_ERROR(output_.Write(*std::move(bytes), stop_writing_));
    Moved();
  }
}

absl::Status NcConversation::Supervise() {
  // Of standard output only what is never asked for comes: POLLERR of a pipe, POLLHUP of a socket or a terminal, when
  // nobody reads it any more. (A file has neither.)
  std::array<pollfd, 3> polled = {pollfd{.fd = WatchInterrupts(), .events = POLLIN, .revents = 0},
                                  pollfd{.fd = news_.fd(), .events = POLLIN, .revents = 0},
                                  pollfd{.fd = STDOUT_FILENO, .events = 0, .revents = 0}};
  while (true) {
    if (poll(polled.data(), polled.size(), TimeLeft()) < 0 && errno == EINTR) continue;
    if (polled[0].revents != 0) return absl::CancelledError("interrupted");
    news_.Clear();
    if (std::optional<absl::Status> verdict = Verdict()) return *std::move(verdict);
    if (polled[2].revents != 0) {
      if (!HasEndedOutput()) return ReaderGone();
      polled[2].fd = -1;  // what ended it looks the same
    }
    if (IsIdle()) {
      absl::Status idle = TimedOutError("nc: timed out: nothing moved for " + absl::FormatDuration(manners_.idle));
      if (!manners_.tell_idle) return idle;
      manners_.tell_idle(idle);
      Moved();
    }
  }
}

std::optional<absl::Status> NcConversation::Verdict() {
  const std::lock_guard lock(mutex_);
  if (downloaded_.has_value() && !downloaded_->ok()) return *downloaded_;
  const bool cannot_send = uploaded_.has_value() && !uploaded_->ok();
  // What the kernel refused to send may leave bytes to receive, up to an end that must come.
  if (cannot_send && (!far_end_.ends() || Classify(*uploaded_) != ErrorKind::kKernel)) return *uploaded_;
  if (!downloaded_.has_value()) return std::nullopt;
  if (uploaded_.has_value()) return *uploaded_;
  if (manners_.ends_with_peer) stop_reading_.Signal();
  return std::nullopt;
}

int NcConversation::TimeLeft() {
  if (manners_.idle == absl::InfiniteDuration()) return -1;
  const std::lock_guard lock(mutex_);
  const auto look = absl::ToChronoNanoseconds(std::min(manners_.idle / kLooksInIdleTime, kSeldomestLook));
  const auto left =
      std::min<Clock::duration>(last_move_ + absl::ToChronoMilliseconds(manners_.idle) - Clock::now(), look);
  const int64_t milliseconds = std::chrono::ceil<std::chrono::milliseconds>(left).count();
  return static_cast<int>(std::clamp<int64_t>(milliseconds, 0, std::numeric_limits<int>::max()));
}

bool NcConversation::HasEndedOutput() {
  const std::lock_guard lock(mutex_);
  return ended_output_;
}

bool NcConversation::IsIdle() {
  const uint64_t accepted = far_end_.Accepted();
  const std::lock_guard lock(mutex_);
  // One large block may take its time; that counts from when it is seen.
  if (accepted != last_accepted_) last_move_ = Clock::now();
  last_accepted_ = accepted;
  if (manners_.idle == absl::InfiniteDuration()) return false;
  return Clock::now() - last_move_ >= absl::ToChronoMilliseconds(manners_.idle);
}

void NcConversation::Moved() {
  const std::lock_guard lock(mutex_);
  last_move_ = Clock::now();
}

}  // namespace socketeer::cli
