#include "client/lib/stream_core.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "socketeer/error.h"

namespace socketeer::internal {
namespace {

// Between tries; the first one is made at once. A try then waits for the connection by itself (wait-for-ready), which
// also is what makes gRPC look after it.
constexpr absl::Duration kFirstPause = absl::Milliseconds(10);
constexpr absl::Duration kLongestPause = absl::Milliseconds(200);
// Who consumes little, and then nothing, has it acknowledged after this.
constexpr absl::Duration kAcknowledgeWithin = absl::Milliseconds(5);

}  // namespace

StreamCore::StreamCore(std::shared_ptr<Connection> connection, v1::AttachOpen open, const StreamOptions& options,
                       StreamObserver* observer)
    : connection_(std::move(connection)),
      observer_(observer),
      patience_(options.patience),
      cancellation_(options.cancellation),
      open_(std::move(open)),
      sender_(options.send_offset, options.send_window),
      receiver_(options.receive_offset, options.receive_window) {
  open_.set_takeover(options.takeover);
}

// --- For the AsyncStream. ---

void StreamCore::Start() {
  cancellation_scope_.emplace(cancellation_, [this] { Cancel(); });
  const Lock lock(mutex_);
  if (!verdict_) return BeginCall();
  state_ = State::kPausing;  // its end is told on a thread of gRPC's, too
  RetryAfter(absl::ZeroDuration());
}

absl::StatusOr<size_t> StreamCore::Send(const absl::Cord& data) {
  Lock lock(mutex_);
  if (absl::Status over = Over(); !over.ok()) return over;
  if (!send_error_.ok()) return send_error_;
  if (sender_.closing()) return absl::InvalidArgumentError("send: behind the end of what is sent");
  const size_t taken = sender_.Add(data);
  Pump(std::move(lock));
  return taken;
}

void StreamCore::Shutdown() {
  Lock lock(mutex_);
  sender_.Shutdown();
  Pump(std::move(lock));
}

absl::Status StreamCore::SetOptions(const v1::SocketOptions& set) {
  Lock lock(mutex_);
  if (absl::Status over = Over(); !over.ok()) return over;
  if (sender_.detaching()) return absl::InvalidArgumentError("setsockopt: behind detach");
  if (sender_.answering()) return absl::InvalidArgumentError("setsockopt: before the answer to the last one");
  sender_.SetOptions(set);
  Pump(std::move(lock));
  return absl::OkStatus();
}

void StreamCore::Consume(size_t bytes) {
  Lock lock(mutex_);
  receiver_.Consume(bytes);
  if (receiver_.owes_much()) return Pump(std::move(lock));
  if (!receiver_.owes() || acknowledge_timer_.running()) return;
  acknowledge_timer_.Start(kAcknowledgeWithin, [weak = weak_from_this()](uint64_t number) {
    if (const auto self = weak.lock()) self->OnAcknowledgeTimer(number);
  });
}

void StreamCore::Detach() {
  Lock lock(mutex_);
  sender_.Detach();
  Pump(std::move(lock));
}

void StreamCore::Cancel() {
  const Lock lock(mutex_);
  if (!verdict_) Fail(absl::CancelledError("cancelled"));
}

uint64_t StreamCore::sent() const {
  const Lock lock(mutex_);
  return sender_.sent();
}

uint64_t StreamCore::accepted() const {
  const Lock lock(mutex_);
  return sender_.accepted();
}

uint64_t StreamCore::received() const {
  const Lock lock(mutex_);
  return receiver_.consumed();
}

void StreamCore::AwaitEnd() {
  std::shared_ptr<Connection> connection;
  {
    Lock lock(mutex_);
    if (state_ != State::kNew) finish_.wait(lock, [this] { return finished_; });
    connection.swap(connection_);
    retry_timer_.Stop();
    acknowledge_timer_.Stop();
  }
  cancellation_scope_.reset();
}

// --- For the StreamCall. ---

void StreamCore::OnFrame(grpc::ByteBuffer* bytes) {
  wire::Frame<v1::AttachSocketResponse> frame;
  const bool parsed = wire::Parse(bytes, &frame);
  std::vector<absl::Cord> dropped;  // goes when mutex_ is let go of
  Lock lock(mutex_);
  if (verdict_) return;
  const absl::Status handled = parsed ? Handle(frame) : absl::InternalError("it sent a message that is no frame");
  dropped = sender_.TakeDropped();
  if (handled.ok()) {
    if (open_failed_ && call_ != nullptr) call_->context().TryCancel();
    return Pump(std::move(lock));
  }
  Fail(absl::InternalError("what answers at " + connection_->endpoint() +
                           " does not speak this API: " + std::string(handled.message())));
}

void StreamCore::OnReadsOver() {
  const Lock lock(mutex_);
  readable_ = false;
}

void StreamCore::OnWritten() {
  Lock lock(mutex_);
  writing_ = false;
  Pump(std::move(lock));
}

// A connection that breaks while a call begins on it fails the first write, but gRPC 1.51 may begin the call anew by
// itself, on the next one: then everything arrives, but each write is told as failed. Such a call is ended as soon as
// it turns out to live; one that is ending has its own reason.
void StreamCore::OnOpenFailed() {
  const Lock lock(mutex_);
  open_failed_ = true;
  if (state_ == State::kOpen && call_ != nullptr) call_->context().TryCancel();
}

void StreamCore::ForgetCall() {
  const Lock lock(mutex_);
  call_ = nullptr;
  readable_ = writing_ = false;
}

void StreamCore::OnCallDone(const grpc::Status& from) {
  {
    const Lock lock(mutex_);
    absl::Status status = connection_->ToStatus(from);
    if (open_failed_ && state_ == State::kOpen && Classify(status) == ErrorKind::kCancelled) {
      status = absl::UnavailableError("the connection to the daemon at " + connection_->endpoint() + " broke");
    }
    if (verdict_) {
      End(*verdict_);
    } else if (status.ok()) {
      if (!sender_.detached())
        status = absl::InternalError("the daemon at " + connection_->endpoint() + " ended a stream that has no end");
      End(std::move(status));
    } else if (MayComeBack(status)) {
      Break(std::move(status));
    } else {
      End(std::move(status));
    }
  }
  Deliver();
}

void StreamCore::Deliver() {
  Lock lock(mutex_);
  if (std::exchange(delivering_, true)) return;
  while (!events_.empty()) {
    const Event event = std::move(events_.front());
    events_.pop_front();
    lock.unlock();
    event(*observer_);
    lock.lock();
  }
  delivering_ = false;
  if (state_ != State::kEnded) return;
  finished_ = true;
  finish_.notify_all();
}

// --- With mutex_ held. ---

void StreamCore::BeginCall() {
  state_ = State::kOpening;
  call_ = new StreamCall(shared_from_this());
  connection_->EnterSession<v1::SocketService::StubInterface>(call_->context());
  call_->context().set_wait_for_ready(was_open_);
  RetryAfter(was_open_ ? PatienceLeft() : connection_->options().answer_time);
  v1::AttachSocketRequest first;
  *first.mutable_open() = open_;
  sender_.FillOpen(first.mutable_open());
  receiver_.FillOpen(first.mutable_open());
  readable_ = writing_ = true;
  open_failed_ = false;
  call_->Begin(*connection_->stubs().attach, wire::Serialize(first));
}

void StreamCore::Pump(Lock lock) {
  if (state_ != State::kOpen || !readable_ || writing_ || verdict_) return;
  std::optional<grpc::ByteBuffer> frame = NextFrame();
  if (!frame) return;
  writing_ = true;
  StreamCall* const call = call_;
  call->Hold();
  lock.unlock();
  call->Write(*std::move(frame));
  call->Unhold();
}

std::optional<grpc::ByteBuffer> StreamCore::NextFrame() {
  const bool now = receiver_.owes_much() || acknowledge_now_ || sender_.detaching();
  if (now && receiver_.owes() && !sender_.detached()) {
    acknowledge_timer_.Stop();
    acknowledge_now_ = false;
    v1::AttachSocketRequest frame;
    frame.mutable_acknowledge()->set_offset(receiver_.Acknowledge());
    return wire::Serialize(frame);
  }
  return sender_.NextFrame();
}

bool StreamCore::MayComeBack(const absl::Status& status) const {
  if (!was_open_ || patience_ <= absl::ZeroDuration()) return false;
  // As long as the daemon has not noticed that the last call is gone, that one counts against its limits.
  const bool full = state_ == State::kOpening && ReasonOf(status) == "LIMIT_REACHED";
  return full || Classify(status) == ErrorKind::kUnreachable;
}

void StreamCore::Break(absl::Status why) {
  last_break_ = std::string(why.message());
  if (state_ == State::kOpen) {
    broke_at_ = std::chrono::steady_clock::now();
    Tell([why = std::move(why)](StreamObserver& observer) { observer.OnBroken(why); });
  }
  const absl::Duration left = PatienceLeft();
  if (left <= absl::ZeroDuration()) return End(GaveUp());
  if (tries_++ == 0) return BeginCall();
  state_ = State::kPausing;
  const absl::Duration pause = std::min(kFirstPause * (1 << std::min(tries_ - 2, 10)), kLongestPause);
  RetryAfter(std::min(pause, left));
}

void StreamCore::RetryAfter(absl::Duration within) {
  retry_timer_.Start(within, [weak = weak_from_this()](uint64_t number) {
    if (const auto self = weak.lock()) self->OnRetryTimer(number);
  });
}

void StreamCore::OnRetryTimer(uint64_t number) {
  {
    const Lock lock(mutex_);
    if (!retry_timer_.Running(number)) return;
    if (state_ == State::kOpening) {
      Fail(was_open_ ? GaveUp()
                     : absl::UnavailableError("the daemon at " + connection_->endpoint() + " does not answer"));
    } else if (state_ == State::kPausing) {
      if (verdict_) {
        End(*verdict_);
      } else {
        BeginCall();
      }
    }
  }
  Deliver();
}

void StreamCore::OnAcknowledgeTimer(uint64_t number) {
  Lock lock(mutex_);
  if (!acknowledge_timer_.Running(number)) return;
  acknowledge_timer_.Stop();
  acknowledge_now_ = true;
  Pump(std::move(lock));
}

void StreamCore::Fail(absl::Status why) {
  if (verdict_) return;
  verdict_ = std::move(why);
  if (call_ != nullptr) return call_->context().TryCancel();
  retry_timer_.Ring();
}

void StreamCore::End(absl::Status why) {
  state_ = State::kEnded;
  retry_timer_.Stop();
  verdict_ = why;
  Tell([why = std::move(why)](StreamObserver& observer) { observer.OnEnded(why); });
}

absl::Duration StreamCore::PatienceLeft() const {
  return patience_ - absl::FromChrono(std::chrono::steady_clock::now() - broke_at_);
}

absl::Status StreamCore::GaveUp() const {
  return absl::UnavailableError(last_break_ + "; it was not back within " + absl::FormatDuration(patience_));
}

absl::Status StreamCore::Over() const {
  if (!verdict_) return absl::OkStatus();
  return verdict_->ok() ? absl::InvalidArgumentError("the stream is detached") : *verdict_;
}

}  // namespace socketeer::internal
