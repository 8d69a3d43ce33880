// The audit: who did what through this daemon, a line of JSON for each, in the order in which it was told.
//
// Thread-safe. Whoever tells something pays for making the line and for a mutex that is held for a copy of it; a thread
// of the audit's own writes. What waits to be written is bounded: when a disk is full, or nobody reads, lines are lost.
// Then the audit itself says how many, at the place where they are missing, as soon as it is written again; and the
// operator is told at once.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "server/audit/event.h"
#include "server/audit/sink.h"
#include "server/base/clock.h"
#include "server/base/limits.h"
#include "server/base/result.h"

namespace socketeer::audit {

class Audit {
 public:
  // Gets lines for the operator, without an end; on the audit's thread.
  using Tell = std::function<void(bool failure, const std::string& line)>;

  // Errors as Sink::Open(). `clock` must outlive this.
  static base::Result<std::unique_ptr<Audit>> Open(const std::string& path, const base::Clock& clock, Tell tell);
  // `path` is what Reopen() opens.
  Audit(Sink sink, std::string path, const base::Clock& clock, Tell tell,
        size_t max_queue_bytes = base::kMaxAuditQueueBytes);
  // Finishes at once, if that was not done. Waits for a write(2) that the kernel holds up.
  ~Audit();

  // Never waits for what is written.
  void Record(const Event& event);
  // What is written from now on goes to the file that has the path then: an old one was moved away.
  void Reopen();
  // Writes what there is; nothing is recorded any more. False: that took longer than `limit`, and what is left is lost.
  bool Finish(std::chrono::milliseconds limit);

  uint64_t lost() const;  // lines, since it began

 private:
  void Run();
  // False: it never will be; what is left of it, and of the queue, is lost.
  bool WriteOut(std::string_view batch);
  bool WaitAfterFailure(int number);
  void TellFailure(int number);
  void TellRecovery();
  void ReopenIfAsked();
  // The operator is told of lost lines once a second, while there are more.
  void TellLost(bool now = false);
  // Below, mutex_ is held.
  bool HasRoom(size_t bytes);
  void Lose(uint64_t lines);
  void QueueLost();

  Sink sink_;  // of the thread
  const std::string path_;
  const std::string name_;  // for the operator
  const base::Clock& clock_;
  const Tell tell_;
  const size_t max_queue_bytes_;

  mutable std::mutex mutex_;  // guards what is between here and below
  std::condition_variable wake_;
  std::condition_variable ended_;
  std::string queue_;
  size_t writing_ = 0;        // bytes that were taken out of the queue, and are not written
  uint64_t lost_ = 0;         // lines that are not told of in the audit
  base::WallTime lost_from_;  // with lost_
  uint64_t all_lost_ = 0;
  bool full_ = false;
  bool reopen_ = false;
  bool finishing_ = false;
  bool abandoned_ = false;  // Finish() waits no longer
  bool over_ = false;

  // Of the thread.
  int failure_ = 0;  // the errno of the last write; 0: it was written
  int stalls_ = 0;   // so often in a row nobody had read
  bool told_failure_ = false;
  uint64_t told_lost_ = 0;
  std::optional<base::MonotonicTime> told_lost_at_;
  std::thread thread_;  // last: it uses all of them
};

}  // namespace socketeer::audit
