#include "server/net/attachment.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "server/base/limits.h"
#include "server/net/socket.h"

namespace socketeer::net {
namespace {

// A frame below this is small: what gRPC reads a message into is 64 KiB large, and of all its parts one may be kept.
constexpr size_t kSmallFrame = 32 << 10;
// Chunks that go to the kernel in one call: gRPC brings a message in pieces of 16 KiB and less.
constexpr size_t kChunksAtOnce = 64;
// So that one is on its way while another is acknowledged.
constexpr uint64_t kFramesInWindow = 2;
// What a system call counts for in a turn, however little it moves.
constexpr size_t kCostOfCall = base::kFairShareBytes / base::kFairShareOperations;
constexpr std::chrono::milliseconds kFirstRetry{1};
constexpr std::chrono::milliseconds kLongestRetry{32};
// A kernel that takes nothing for so long is not just busy.
constexpr std::chrono::milliseconds kStandsStill{100};

}  // namespace

Attachment::Attachment(Socket& socket, const AttachTerms& terms, uint64_t from, std::string kept, uint64_t given,
                       std::shared_ptr<AttachmentClient> client)
    : socket_(socket),
      client_(std::move(client)),
      actor_(terms.actor),
      receive_window_(terms.receive_window),
      frame_(std::clamp<uint64_t>(receive_window_ / kFramesInWindow, ChunkBuffer::kLeast, base::kMaxFrameBytes)),
      send_window_(terms.send_window),
      named_(terms.receive_offset.has_value()),
      next_(from),
      acknowledged_(from),
      again_(from + kept.size()),
      given_before_(given),
      expected_(terms.send_offset.value_or(socket.sent())),
      told_(socket.sent()) {
  if (!kept.empty()) kept_.Push(base::Chunk::Of(std::move(kept)));
}

void Attachment::Begin() { Receive(); }

void Attachment::OnEvents(uint32_t events) {
  const bool broken = (events & (EPOLLHUP | EPOLLERR)) != 0;
  const bool arrived = (events & kArrivals) != 0;
  if (arrived && (receive_over_ || Room() == 0) && !socket_.HasWaiters()) Watch(WatchedWrites());
  if (broken || arrived) Receive();
  if (broken || (events & EPOLLOUT) != 0) {
    full_ = false;
    RunWrites();
  }
}

// --- What comes in. ---

void Attachment::Receive() {
  const Socket::Acting acting(socket_, actor_.get());
  size_t in_this_turn = 0;
  while (client_ && !receive_over_ && MayAct(actor_.get())) {
    if (auto permitted = socket_.PermitHere(Act::kReceive); !permitted.ok()) {
      receive_over_ = true;
      return client_->OnReceiveError(std::move(permitted).error());
    }
    const uint64_t room = Room();
    if (room == 0) return;  // until something is acknowledged
    if (in_this_turn >= socket_.AtOnce(base::kFairShareBytes, true)) return Continue();
    if (!MayMove()) return;
    if (next_ == end() && !Take(socket_.AtOnce(room, true))) return;
    base::Chunk bytes = kept_.At(next_ - acknowledged_, std::min(room, frame_));
    const uint64_t offset = std::exchange(next_, next_ + bytes.size());
    if (offset < again_) socket_.CountMoved(bytes.size());
    in_this_turn += std::max(bytes.size(), kCostOfCall);
    client_->OnReceived(offset, std::move(bytes));
  }
}

bool Attachment::MayMove() {
  const auto wait = socket_.WaitToMove();
  if (wait.count() == 0) return true;
  RetryIn(wait);
  return false;
}

bool Attachment::Take(uint64_t most) {
  if (const int number = socket_.TakeError(named_)) {
    FailReceive(number);
    return false;
  }
  // So that what is kept takes the memory that it needs, and no more.
  int waiting = 0;
  if (socket_.syscalls().BytesReadable(socket_.fd(), &waiting) < 0) waiting = 0;  // recvmsg(2) will say why
  const auto size =
      socket_.ReserveKept(std::clamp<uint64_t>(static_cast<uint64_t>(waiting), 1, std::min(most, frame_)));
  if (!size.ok()) {  // the daemon keeps all it may; nobody tells when that ends
    RetryLater();
    return false;
  }
  const ssize_t got = socket_.TakeAway(incoming_.Room(*size).data(), *size);
  const int number = errno;
  retry_ = {};
  if (got > 0) kept_.Push(incoming_.Filled(static_cast<size_t>(got)));
  socket_.NoteRetained();
  if (got > 0) return true;
  if (kept_.empty()) incoming_.Forget();
  if (got < 0 && number == EAGAIN && (watched_ & EPOLLIN) == 0) Watch(kArrivals | WatchedWrites());
  if (got < 0 && number != EAGAIN) FailReceive(number);
  if (got == 0) {
    receive_over_ = true;
    client_->OnEndOfStream(next_);
  }
  return false;
}

void Attachment::FailReceive(int number) {
  receive_over_ = true;
  base::Error error = socket_.DataFault(Call::kReceive, "recvmsg", number);
  // Whoever names the same offset again gets it again.
  if (socket_.info().state == State::kDisconnected) socket_.KeepError(number, true);
  client_->OnReceiveError(std::move(error));
}

base::Status Attachment::Acknowledge(uint64_t offset) {
  // What still waits to be passed on has not come to anybody; who says so would make it wait without end.
  const uint64_t passed_on = std::clamp(client_->Given(), acknowledged_, next_);
  if (offset < acknowledged_ || offset > passed_on) {
    return socket_.Describe(base::OffsetOutOfRange("acknowledge.offset", offset, acknowledged_, passed_on), "attach");
  }
  kept_.Drop(offset - acknowledged_);
  kept_.Compact();
  acknowledged_ = offset;
  if (kept_.empty()) incoming_.Forget();
  socket_.NoteRetained();
  Receive();
  return base::Ok();
}

uint64_t Attachment::given() const {
  if (all_given_ || !client_) return std::max(next_, given_before_);
  return std::max(std::clamp(client_->Given(), acknowledged_, next_), given_before_);
}

void Attachment::Seal() {
  if (client_ && !all_given_) client_->Seal();
}

void Attachment::GiveBack() { socket_.bytes().PutBack(kept_.Copy(), given()); }

// --- What goes out. ---

base::Status Attachment::Send(uint64_t offset, std::vector<base::Chunk> bytes) {
  if (offset != expected_) {
    return socket_.Describe(base::OffsetOutOfRange("data.offset", offset, expected_, expected_), "attach");
  }
  size_t size = 0;
  for (const base::Chunk& chunk : bytes) size += chunk.size();
  const uint64_t sent = socket_.sent();
  if (size > sent + send_window_ - offset) {
    return socket_.Describe(base::CreditExceeded("data", offset + size, sent + send_window_), "attach");
  }
  expected_ += size;
  if (send_over_) return base::Ok();
  // The kernel may have accepted the first of them before.
  size_t skip = offset < sent ? std::min<uint64_t>(sent - offset, size) : 0;
  for (base::Chunk& chunk : bytes) {
    const size_t part = std::min(skip, chunk.size());
    skip -= part;
    if (part < chunk.size()) Push(part == 0 ? std::move(chunk) : chunk.Sub(part), size < kSmallFrame);
  }
  if (full_) {
    GatherLater();
  } else {
    RunWrites();
  }
  return base::Ok();
}

void Attachment::Push(base::Chunk bytes, bool small) {
  if (full_ && (small || bytes.size() < ChunkBuffer::kLeast)) {
    std::memcpy(copied_.Room(bytes.size()).data(), bytes.data(), bytes.size());
    bytes = copied_.Filled(bytes.size());
  }
  unsent_.Push(std::move(bytes));
}

void Attachment::Shutdown() {
  if (!send_over_) AddStep(Step::Kind::kShutdown);
}

void Attachment::SetOptions(OptionList options) { AddStep(Step::Kind::kOptions, std::move(options)); }

void Attachment::Detach() {
  receive_over_ = true;
  AddStep(Step::Kind::kDetach);
}

void Attachment::AddStep(Step::Kind kind, OptionList options) {
  steps_.push_back({.kind = kind, .at = std::max(expected_, socket_.sent()), .options = std::move(options)});
  RunWrites();
}

void Attachment::RunWrites() {
  const auto self = shared_from_this();  // the last step is to go
  const Socket::Acting acting(socket_, actor_.get());
  size_t in_this_turn = 0;
  while (client_ && MayAct(actor_.get())) {
    if (StepIsDue()) {
      RunStep();
    } else if (unsent_.empty()) {
      return;
    } else if (in_this_turn >= socket_.AtOnce(base::kFairShareBytes, true)) {
      return Continue();
    } else if (!SendSome(&in_this_turn)) {
      return;
    }
  }
}

bool Attachment::StepIsDue() const { return !steps_.empty() && (send_over_ || steps_.front().at == socket_.sent()); }

void Attachment::RunStep() {
  const Step step = std::move(steps_.front());
  steps_.pop_front();
  if (step.kind == Step::Kind::kShutdown) {
    auto status = socket_.Shutdown(SHUT_WR);
    if (!status.ok()) return FailSend(std::move(status).error());
    client_->OnShutdown();
  } else if (step.kind == Step::Kind::kOptions) {
    auto status = socket_.SetOptions(step.options);
    client_->OnOptions(status.ok() ? socket_.GetOptions() : std::move(status).error());
  } else {
    all_given_ = true;
    socket_.Detach();
    End(std::nullopt);
  }
}

bool Attachment::SendSome(size_t* count) {
  if (auto permitted = socket_.PermitHere(Act::kSend); !permitted.ok()) {
    FailSend(std::move(permitted).error());
    return true;
  }
  if (!MayMove()) {
    full_ = slowed_ = true;
    GatherLater();
    TellAccepted();
    return false;
  }
  std::array<iovec, kChunksAtOnce> parts;
  msghdr message{};
  message.msg_iov = parts.data();
  const size_t due = steps_.empty() ? unsent_.size() : steps_.front().at - socket_.sent();
  message.msg_iovlen = unsent_.Parts(parts, socket_.AtOnce(due, true));
  const ssize_t sent = socket_.syscalls().SendMsg(socket_.fd(), &message, MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent < 0) {
    const int number = errno;
    if (number == EAGAIN) {
      full_ = true;
      GatherLater();
      if ((watched_ & EPOLLOUT) == 0) Watch(watched_ | EPOLLOUT);
      TellAccepted();
      return false;
    }
    base::Error error = socket_.DataFault(Call::kSend, "sendmsg", number);
    // The kernel tells it once, but it is the receiving side's as well, behind what is still to be received. (EPIPE is
    // of this side alone.)
    if (socket_.info().state == State::kDisconnected && number != EPIPE && !receive_over_) socket_.OweError(number);
    FailSend(std::move(error));
    Receive();
    return true;
  }
  *count += std::max(static_cast<size_t>(sent), kCostOfCall);
  socket_.NoteSent(static_cast<uint64_t>(sent));
  socket_.CountSent(static_cast<uint64_t>(sent), 0);
  unsent_.Drop(static_cast<size_t>(sent));
  if (unsent_.empty()) copied_.Forget();
  TellAccepted();
  return true;
}

void Attachment::TellAccepted() {
  const uint64_t untold = socket_.sent() - told_;
  if (untold == 0) return;
  const bool more = !unsent_.empty() && !full_;
  if (more && untold < send_window_ / kFramesInWindow) return;
  told_ = socket_.sent();
  client_->OnAccepted(told_);
}

void Attachment::GatherLater() {
  if (std::exchange(gathering_, true)) return;
  socket_.loop().RunAt(socket_.loop().Now() + kStandsStill, [weak = weak_from_this(), sent = socket_.sent()] {
    const auto self = weak.lock();
    if (!self) return;
    self->gathering_ = false;
    if (!self->client_ || !self->full_) return;
    if (self->socket_.sent() != sent) return self->GatherLater();
    self->unsent_.Gather();
    self->copied_.Forget();
  });
}

void Attachment::FailSend(base::Error error) {
  send_over_ = true;
  full_ = false;
  unsent_ = {};
  TellAccepted();
  std::erase_if(steps_, [](const Step& step) { return step.kind == Step::Kind::kShutdown; });
  client_->OnSendError(std::move(error));
}

// --- Its end, and its turns. ---

void Attachment::Leave() {
  if (!client_) return;
  socket_.Detach();
  client_.reset();
}

void Attachment::End(std::optional<base::Error> why) {
  unsent_ = {};
  steps_.clear();
  const auto client = std::exchange(client_, nullptr);
  client->OnDetached(std::move(why));
}

void Attachment::Watch(uint32_t events) {
  wanted_ = events;
  if (events == watched_) return;
  if (socket_.WatchFor(events)) {
    watched_ = events;
  } else {
    RetryLater();
  }
}

void Attachment::Continue() {
  if (!std::exchange(posted_, true)) socket_.loop().Post(NextTurn(&posted_));
}

void Attachment::RetryLater() {
  retry_ = std::clamp(retry_ * 2, kFirstRetry, kLongestRetry);
  RetryIn(retry_);
}

void Attachment::RetryIn(std::chrono::nanoseconds delay) {
  if (!std::exchange(timed_, true)) socket_.loop().RunAt(socket_.loop().Now() + delay, NextTurn(&timed_));
}

Task Attachment::NextTurn(bool* scheduled) {
  return [weak = weak_from_this(), scheduled] {
    const auto self = weak.lock();
    if (!self) return;
    *scheduled = false;
    if (!self->client_) return;
    self->Watch(self->wanted_);
    if (std::exchange(self->slowed_, false)) self->full_ = false;
    // By turns: under a quota the first one may take all that there is.
    const bool writes_first = std::exchange(self->writes_first_, !self->writes_first_);
    if (writes_first) self->RunWrites();
    if (self->client_) self->Receive();
    if (!writes_first) self->RunWrites();
  };
}

}  // namespace socketeer::net
