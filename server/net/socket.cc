#include "server/net/socket.h"

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <utility>

#include "server/base/limits.h"
#include "server/net/attachment.h"
#include "server/net/errno_table.h"

namespace socketeer::net {
namespace {

constexpr std::chrono::duration<int32_t, std::milli> kFirstRetry{1}, kLongestRetry{32};

}  // namespace

Socket::Socket(EventLoop& loop, int fd, SocketInfo info, std::shared_ptr<SocketObserver> observer, uint32_t max_waiting,
               RetainedBudget& budget)
    : loop_(loop),
      fd_(fd),
      max_waiting_(max_waiting),
      info_(std::move(info)),
      observer_(std::move(observer)),
      budget_(budget) {
  observer_->OnChanged(info_);
}

Socket::~Socket() { assert(fd_ < 0); }

void Socket::Start(std::unique_ptr<Operation> operation) {
  if (attached()) {
    operation->Fail(*this, Describe(base::SocketAttached(), operation->verb()));
    return operation->Complete();
  }
  if (kept_) kept_->attachment_id = 0;
  // First whoever waits for the connect: a receive would take its error away, and leave it ECONNABORTED.
  if (info_.state == State::kConnecting && operation->side() == Side::kRead) RunLane(Side::kWrite);
  Lane& lane = LaneOf(operation->side());
  if (!lane.waiting.empty()) {
    if (operation->mode() == Mode::kExact) {
      operation->Fail(*this, Describe(base::CallWaiting(operation->verb()), operation->verb()));
      return operation->Complete();
    }
    return Enqueue(std::move(operation));
  }
  const Side side = operation->side();
  const Progress progress = TryUnlessCancelled(*operation);
  if (progress == Progress::kDone) {
    operation->Complete();
    return CheckWaiters();
  }
  Enqueue(std::move(operation));
  if (!lane.waiting.empty()) Rearm(side, progress);
}

void Socket::Enqueue(std::unique_ptr<Operation> operation) {
  const Side side = operation->side();
  Lane& lane = LaneOf(side);
  if (lane.waiting.size() >= max_waiting_) {
    operation->Fail(*this,
                    Describe(base::LimitReached("max_waiting_calls_per_direction", max_waiting_), operation->verb()));
    return operation->Complete();
  }
  if (const auto watched = EnsureWatched(); !watched.ok()) {
    operation->Fail(*this, Describe(watched.error(), operation->verb()));
    return operation->Complete();
  }
  const auto timeout = operation->timeout();
  if (timeout && timeout->count() <= 0) {
    operation->TimeOut();
    SettleUnlessCancelled(*operation);
    return operation->Complete();
  }
  lane.waiting.push_back({.operation = std::move(operation)});
  if (timeout) {
    const OperationId id = lane.waiting.back().operation->id();
    lane.waiting.back().timer = loop_.RunAt(loop_.Now() + *timeout, [weak = weak_from_this(), id, side] {
      if (const auto self = weak.lock()) self->OnTimeout(id, side);
    });
  }
  CountWaiting();
}

std::unique_ptr<Operation> Socket::TakeOut(Lane& lane, Queue::iterator which) {
  if (which->timer != 0) loop_.CancelTimer(which->timer);
  std::unique_ptr<Operation> operation = std::move(which->operation);
  lane.waiting.erase(which);
  CountWaiting();
  return operation;
}

Progress Socket::TryUnlessCancelled(Operation& operation) {
  const Acting acting(*this, operation.actor());
  Progress progress = Progress::kDone;
  if (!operation.cancelled()) progress = operation.Try(*this);
  if (progress == Progress::kDone) SettleUnlessCancelled(operation);
  return progress;
}

void Socket::SettleUnlessCancelled(Operation& operation) {
  const Acting acting(*this, operation.actor());
  if (operation.cancelled()) {
    operation.Fail(*this, Describe(base::Cancelled(), operation.verb()));
  } else {
    operation.Settle(*this);
  }
  ForgetIfUnused();
}

void Socket::RunLane(Side side) {
  Lane& lane = LaneOf(side);
  for (int done = 0; !lane.waiting.empty(); ++done) {
    if (done == base::kFairShareOperations) return Rearm(side, Progress::kMore);
    const Progress progress = TryUnlessCancelled(*lane.waiting.front().operation);
    if (progress != Progress::kDone) return Rearm(side, progress);
    lane.retry = {};
    TakeOut(lane, lane.waiting.begin())->Complete();
  }
}

void Socket::Rearm(Side side, Progress progress) {
  Lane& lane = LaneOf(side);
  if (progress == Progress::kUnannounced) ExpectEcho();
  if (lane.scheduled || progress == Progress::kBlocked) return;
  lane.scheduled = true;
  Task run = [weak = weak_from_this(), side] {
    const auto self = weak.lock();
    if (!self) return;
    self->LaneOf(side).scheduled = false;
    self->RunLane(side);
    self->CheckWaiters();
  };
  if (progress == Progress::kMore) return loop_.Post(std::move(run));
  if (progress == Progress::kDelayed) {
    loop_.RunAt(loop_.Now() + quota_wait_, std::move(run));
    return;
  }
  // kUnannounced: a full backlog or receive queue of another UNIX socket. The kernel lets a blocking caller sleep on
  // it, but tells epoll nothing; so we look again, soon and then less often (docs/decisions/0004).
  lane.retry = std::clamp(lane.retry * 2, kFirstRetry, kLongestRetry);
  loop_.RunAt(loop_.Now() + lane.retry, std::move(run));
}

void Socket::OnTimeout(OperationId id, Side side) {
  Lane& lane = LaneOf(side);
  const auto found =
      std::ranges::find_if(lane.waiting, [id](const Waiting& waiting) { return waiting.operation->id() == id; });
  if (found == lane.waiting.end()) return;
  found->timer = 0;
  const bool was_first = found == lane.waiting.begin();
  const auto operation = TakeOut(lane, found);
  operation->TimeOut();
  SettleUnlessCancelled(*operation);
  operation->Complete();
  if (was_first) RunLane(side);  // the next one may want less
  CheckWaiters();
}

void Socket::Cancel(OperationId id) {
  for (const Side side : {Side::kRead, Side::kWrite}) {
    Lane& lane = LaneOf(side);
    const auto found =
        std::ranges::find_if(lane.waiting, [id](const Waiting& waiting) { return waiting.operation->id() == id; });
    if (found == lane.waiting.end()) continue;
    const bool was_first = found == lane.waiting.begin();
    const auto operation = TakeOut(lane, found);
    operation->Fail(*this, Describe(base::Cancelled(), operation->verb()));
    operation->Complete();
    if (was_first) RunLane(side);
    return CheckWaiters();
  }
}

std::vector<std::unique_ptr<Operation>> Socket::FailAll(const base::Error& why) {
  std::vector<std::unique_ptr<Operation>> failed;
  for (Lane& lane : lanes_) {
    while (!lane.waiting.empty()) failed.push_back(TakeOut(lane, lane.waiting.begin()));
  }
  for (const auto& operation : failed) {
    operation->Fail(*this, Describe(why, operation->verb()));
  }
  return failed;
}

void Socket::EndWaiting(const base::Error& why) {
  if (const auto attachment = TakeAttachment()) attachment->End(Describe(why, "attach"));
  for (const auto& operation : FailAll(why)) operation->Complete();
}

bool Socket::CloseMayBlock() {
  if (!info_.kind.IsTcp()) return false;
  // TCP tells its peer with a reset that data was never read; what was given to nobody counts as that.
  if (kept_ && kept_->bytes.given() < kept_->bytes.end()) {
    const linger reset{.l_onoff = 1, .l_linger = 0};
    syscalls().SetSockOpt(fd_, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
    return false;
  }
  linger wait{};
  socklen_t size = sizeof(wait);
  if (syscalls().GetSockOpt(fd_, SOL_SOCKET, SO_LINGER, &wait, &size) < 0) return true;  // for all we know
  return wait.l_onoff != 0 && wait.l_linger > 0;
}

void Socket::Close(base::Error why, const CloseElsewhere& elsewhere, Task done) {
  auto failed = FailAll(why);
  const auto attachment = TakeAttachment();
  base::Error end = Describe(std::move(why), "attach");
  const bool may_block = CloseMayBlock();
  ResetConnections();
  if (path_) path_->Remove(syscalls());
  if (watch_ != 0) loop_.Unwatch(std::exchange(watch_, 0), fd_);
  const int fd = std::exchange(fd_, -1);
  kept_.reset();
  gauges().retained_bytes.store(0, std::memory_order_relaxed);
  info_.state = State::kClosed;
  observer_->OnClosing();
  Task finish = [self = shared_from_this(), done = std::move(done)]() mutable {
    self->observer_->OnClosed();
    self->EndWaiters();
    done();
  };
  if (may_block) {
    elsewhere(fd, std::move(finish));
  } else {
    syscalls().Close(fd);  // whatever it answers, the descriptor is gone
    finish();
  }
  for (const auto& operation : failed) operation->Complete();
  if (attachment) attachment->End(std::move(end));
}

base::Status Socket::EnsureWatched() {
  if (watch_) return base::Ok();
  auto watch = loop_.Watch(fd_, kAllEvents, this);
  if (!watch.ok()) return std::move(watch).error();
  watch_ = *watch;
  return base::Ok();
}

void Socket::WatchConnect() {
  if (info_.state != State::kConnecting || EnsureWatched().ok()) return;
  // Nobody may be waiting for the result, but it will come.
  loop_.RunAt(loop_.Now() + kLongestRetry, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->WatchConnect();
  });
}

void Socket::OnEvents(uint32_t events) {
  if ((events & EPOLLOUT) != 0 && std::exchange(echo_, false)) events &= ~uint32_t{EPOLLOUT};
  const bool broken = (events & (EPOLLHUP | EPOLLERR)) != 0;
  if (info_.state == State::kConnecting) {
    SettleConnect(events);
    if (info_.state != State::kConnecting) RunLane(Side::kWrite);  // first, as in Start()
  }
  if (broken || (events & (EPOLLIN | EPOLLRDHUP | EPOLLPRI)) != 0) RunLane(Side::kRead);
  if (broken || (events & EPOLLOUT) != 0) RunLane(Side::kWrite);
  if (attached()) std::shared_ptr(kept_->attachment)->OnEvents(events);
  CheckWaiters();
}

void Socket::CountWaiting() {
  gauges().waiting_reads.store(static_cast<uint32_t>(lanes_[0].waiting.size()), std::memory_order_relaxed);
  gauges().waiting_writes.store(static_cast<uint32_t>(lanes_[1].waiting.size()), std::memory_order_relaxed);
}

base::Error Socket::Fault(Call call, const char* system_call, int number) const {
  const char* const operation = OperationName(call);
  base::Error error = KernelError(operation, system_call, number);
  if (Forbids(call, number)) error.code = base::Code::kFailedPrecondition;
  return Describe(std::move(error), operation);
}

base::Error Socket::DataFault(Call call, const char* system_call, int number) {
  const bool forbidden = Forbids(call, number);  // by the state before the call
  NoteDataError(number);
  base::Error error = Fault(call, system_call, number);
  error.code = forbidden ? base::Code::kFailedPrecondition : ErrnoCode(number);
  return error;
}

bool Socket::Forbids(Call call, int number) const {
  Situation situation = connect_failed_ ? Situation::kFailed : SituationOf(info_);
  // A shut write side outlives the association.
  if (info_.write_shutdown && (call == Call::kSend || call == Call::kSendTo)) situation = Situation::kWriteShut;
  const bool named = named_ == Named::kByCaller || (!info_.kind.IsTcp() && !info_.local.empty());
  return StateForbids(ClassOf(info_.kind), situation, call, named, number);
}

base::Error Socket::Describe(base::Error error, const char* operation) const {
  error.operation = operation;
  error.socket = observer_->name();
  error.state = static_cast<int>(info_.state);
  error.local = info_.local.bytes();
  if (error.peer.empty()) error.peer = info_.peer.bytes();
  return error;
}

}  // namespace socketeer::net
