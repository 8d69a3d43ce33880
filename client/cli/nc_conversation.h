// Standard input and output joined to a socket, until one of them ends it.
#pragma once

#include <chrono>
#include <functional>
#include <mutex>
#include <optional>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "client/cli/nc_far_end.h"
#include "client/cli/nc_stdio.h"
#include "client/cli/wakeup.h"

namespace socketeer::cli {

struct NcManners {
  // Shut down the sending side when standard input ends.
  bool shut_down = false;
  // The peer's end ends the conversation, though standard input goes on: what was read of it is still sent.
  bool ends_with_peer = false;
  // Tell who reads standard output of the peer's end. Else it stays open, for the next conversation.
  bool ends_output = true;
  // Standard input is not read.
  bool silent = false;
  // The conversation ends when nothing moves for so long.
  absl::Duration idle = absl::InfiniteDuration();
  // Instead, this is told of it, and the conversation goes on.
  std::function<void(const absl::Status&)> tell_idle = nullptr;
};

// One conversation. Two threads copy, one each way, with blocking calls; the thread that runs it watches: for their
// ends, a signal, idleness, a reader of standard output that is gone. Standard input that the conversation does not
// need is left for the next one.
class NcConversation {
 public:
  // `far_end` outlives this.
  NcConversation(NcFarEnd& far_end, const NcManners& manners);

  // Once. When it returns, everything that was received has been written, and the kernel has accepted everything that
  // was read, unless there is an error:
  //   of the kernel           a reset, a refused datagram ...
  //   kTimedOut               it was idle
  //   CANCELLED               a signal: InterruptSignal
  //   ReaderGone, DATA_LOSS   standard output
  //   INVALID_ARGUMENT        standard input
  //   else                    the daemon
  absl::Status Run();

 private:
  using Clock = std::chrono::steady_clock;

  void Upload();
  absl::Status UploadAll();
  void Download();
  absl::Status DownloadAll();

  absl::Status Supervise();
  // What ends the conversation, if anything does by now.
  std::optional<absl::Status> Verdict();
  // How long poll(2) may take, in milliseconds: until it may be idle, or to look whether the kernel has accepted more.
  int TimeLeft();
  bool IsIdle();
  bool HasEndedOutput();
  void Moved();

  NcFarEnd& far_end_;
  const NcManners manners_;
  NcInput input_;
  const NcOutput output_;
  Wakeup stop_reading_;
  Wakeup stop_writing_;
  Wakeup news_;  // for the thread that runs

  std::mutex mutex_;                        // guards what follows
  std::optional<absl::Status> uploaded_;    // how sending ended
  std::optional<absl::Status> downloaded_;  // how receiving ended
  bool ended_output_ = false;               // standard output was ended here, or is about to be
  Clock::time_point last_move_;
  uint64_t last_accepted_ = 0;
};

}  // namespace socketeer::cli
