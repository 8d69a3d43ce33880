#include "server/audit/audit.h"

#include <cerrno>
#include <cstring>
#include <utility>

#include "server/base/printable.h"

namespace socketeer::audit {
namespace {

// Lines that come within it are written at once: the writer wakes up no more often.
constexpr std::chrono::milliseconds kGather{10};
// How long a reader may leave a pipe full before we look again, and so often before the operator is told.
constexpr std::chrono::milliseconds kPatience{100};
constexpr int kStallsBeforeTold = 10;
// After a failure.
constexpr std::chrono::milliseconds kRetry{200};
constexpr std::chrono::seconds kTellLostEvery{1};
// Room that a burst took is given back.
constexpr size_t kKeptCapacity = 64 << 10;

// How many of them tell what happened, and not how many are lost.
uint64_t CountTelling(std::string_view lines) {
  constexpr std::string_view kLost = ",\"event\":\"lost\",";  // quotes of a text are escaped
  uint64_t count = 0;
  for (size_t end; (end = lines.find('\n')) != std::string_view::npos; lines.remove_prefix(end + 1)) {
    if (lines.substr(0, end).find(kLost) == std::string_view::npos) ++count;
  }
  return count;
}

}  // namespace

base::Result<std::unique_ptr<Audit>> Audit::Open(const std::string& path, const base::Clock& clock, Tell tell) {
  auto sink = Sink::Open(path);
  if (!sink.ok()) return std::move(sink).error();
  return std::make_unique<Audit>(*std::move(sink), path, clock, std::move(tell));
}

Audit::Audit(Sink sink, std::string path, const base::Clock& clock, Tell tell, size_t max_queue_bytes)
    : sink_(std::move(sink)),
      path_(std::move(path)),
      name_("audit " + base::Printable(path_)),
      clock_(clock),
      tell_(std::move(tell)),
      max_queue_bytes_(max_queue_bytes),
      thread_([this] { Run(); }) {}

Audit::~Audit() {
  Finish(std::chrono::milliseconds(0));
  thread_.join();
}

void Audit::Record(const Event& event) {
  const std::string line = event.Line();
  bool wake = false;
  {
    std::lock_guard lock(mutex_);
    if (finishing_ || !HasRoom(line.size())) return Lose(1);
    const size_t before = queue_.size();
    QueueLost();
    queue_ += line;
    const size_t much = max_queue_bytes_ / 4;
    wake = before == 0 || (before < much && queue_.size() >= much);
  }
  if (wake) wake_.notify_one();
}

bool Audit::HasRoom(size_t bytes) {
  const size_t used = queue_.size() + writing_ + bytes;
  // Once full, it is so until half of it is written: the gaps are few, and each is told.
  full_ = used > (full_ ? max_queue_bytes_ / 2 : max_queue_bytes_);
  return !full_;
}

void Audit::Lose(uint64_t lines) {
  if (lost_ == 0) lost_from_ = clock_.WallNow();
  lost_ += lines;
  all_lost_ += lines;
}

void Audit::QueueLost() {
  if (lost_ == 0) return;
  queue_ += Event("lost", clock_.WallNow()).Number("count", std::exchange(lost_, 0)).Time("since", lost_from_).Line();
}

void Audit::Reopen() {
  {
    std::lock_guard lock(mutex_);
    reopen_ = true;
  }
  wake_.notify_one();
}

bool Audit::Finish(std::chrono::milliseconds limit) {
  std::unique_lock lock(mutex_);
  finishing_ = true;
  wake_.notify_one();
  if (!ended_.wait_for(lock, limit, [this] { return over_; })) {
    abandoned_ = true;
    ended_.wait_for(lock, 2 * kPatience, [this] { return over_; });  // the time that it takes to see that
  }
  return over_ && !abandoned_;
}

uint64_t Audit::lost() const {
  std::lock_guard lock(mutex_);
  return all_lost_;
}

void Audit::Run() {
  std::string batch;
  std::unique_lock lock(mutex_);
  while (true) {
    const auto hurry = [this] { return reopen_ || finishing_; };
    const auto work = [&] { return hurry() || !queue_.empty(); };
    if (told_lost_ == all_lost_) {
      wake_.wait(lock, work);
    } else {
      wake_.wait_for(lock, kTellLostEvery, work);
    }
    wake_.wait_for(lock, kGather, [&] { return hurry() || queue_.size() >= max_queue_bytes_ / 4; });
    QueueLost();
    batch.swap(queue_);
    writing_ = batch.size();
    const bool finishing = finishing_;
    lock.unlock();
    ReopenIfAsked();
    const bool last = !WriteOut(batch) || (finishing && batch.empty());
    TellLost(last);
    batch.clear();
    if (batch.capacity() > kKeptCapacity) batch = {};
    lock.lock();
    writing_ = 0;
    if (last) break;
  }
  over_ = true;
  ended_.notify_all();
}

bool Audit::WriteOut(std::string_view batch) {
  while (!batch.empty()) {
    const Sink::Written written = sink_.Write(batch, kPatience);
    batch.remove_prefix(written.bytes);
    {
      std::lock_guard lock(mutex_);
      writing_ = batch.size();
    }
    if (written.bytes > 0) stalls_ = 0;
    if (written.number == 0) continue;
    TellFailure(written.number);
    TellLost();
    if (!WaitAfterFailure(written.number)) {
      std::lock_guard lock(mutex_);
      Lose(CountTelling(batch) + CountTelling(queue_));
      return false;
    }
    ReopenIfAsked();
  }
  TellRecovery();
  return true;
}

// False: not again.
bool Audit::WaitAfterFailure(int number) {
  std::unique_lock lock(mutex_);
  // To ask a reader was to wait.
  if (number == EAGAIN) return !abandoned_;
  if (!finishing_) wake_.wait_for(lock, kRetry, [this] { return reopen_ || finishing_; });
  return !finishing_;
}

void Audit::TellFailure(int number) {
  stalls_ = number == EAGAIN ? stalls_ + 1 : kStallsBeforeTold;
  if (stalls_ < kStallsBeforeTold || (told_failure_ && failure_ == number)) return;
  failure_ = number;
  told_failure_ = true;
  tell_(true, name_ + ": " + (number == EAGAIN ? "nobody reads it" : std::strerror(number)) + "; lines wait, up to " +
                  std::to_string(max_queue_bytes_) + " bytes, and then are lost");
}

void Audit::TellRecovery() {
  stalls_ = 0;
  if (!std::exchange(told_failure_, false)) return;
  TellLost(true);
  tell_(false, name_ + ": is written again");
}

void Audit::ReopenIfAsked() {
  {
    std::lock_guard lock(mutex_);
    if (!std::exchange(reopen_, false)) return;
  }
  auto status = sink_.Reopen(path_);
  if (!status.ok()) return tell_(true, status.error().message + "; the file before it goes on");
  tell_(false, name_ + ": reopened");
}

void Audit::TellLost(bool now) {
  const uint64_t all = lost();
  if (all == told_lost_) return;
  const base::MonotonicTime time = clock_.Now();
  if (!now && told_lost_at_ && time - *told_lost_at_ < kTellLostEvery) return;
  tell_(true, name_ + ": " + std::to_string(all - told_lost_) + " lines are lost, " + std::to_string(all) +
                  " since the daemon began: it was not written in time");
  told_lost_ = all;
  told_lost_at_ = time;
}

}  // namespace socketeer::audit
