#include "server/net/attachment.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "server/base/limits.h"
#include "server/net/socket.h"

namespace socketeer::net {
namespace {

// Bytes that come in small pieces wait in larger ones, or their bookkeeping would outgrow them.
constexpr size_t kSmallPiece = 4'096;
// Pieces that go to the kernel in one call.
constexpr size_t kPiecesAtOnce = 16;
constexpr std::chrono::milliseconds kFirstRetry{1};
constexpr std::chrono::milliseconds kLongestRetry{32};

}  // namespace

Attachment::Attachment(Socket& socket, const AttachTerms& terms, uint64_t from,
                       std::shared_ptr<AttachmentClient> client)
    : socket_(socket),
      client_(std::move(client)),
      receive_window_(terms.receive_window),
      send_window_(terms.send_window),
      named_(terms.receive_offset.has_value()),
      next_(from),
      acknowledged_(from),
      expected_(terms.send_offset.value_or(socket.sent())) {}

void Attachment::Begin() { Receive(); }

void Attachment::OnEvents(uint32_t events) {
  const bool broken = (events & (EPOLLHUP | EPOLLERR)) != 0;
  if (broken || (events & (EPOLLIN | EPOLLRDHUP | EPOLLPRI)) != 0) Receive();
  if (broken || (events & EPOLLOUT) != 0) RunSteps();
}

// --- What comes in. ---

void Attachment::Receive() {
  size_t in_this_turn = 0;
  while (client_ && !receive_over_) {
    const uint64_t room = acknowledged_ + receive_window_ - next_;
    if (room == 0) return;  // until something is acknowledged
    if (in_this_turn >= base::kFairShareBytes) return Continue();
    RetainedBytes& kept = socket_.bytes();
    if (next_ == kept.end() && !Take(room)) return;
    const size_t count = std::min<uint64_t>({room, kept.end() - next_, base::kMaxFrameBytes});
    client_->OnReceived(next_, {kept.At(next_), count});
    next_ += count;
    in_this_turn += count;
  }
}

bool Attachment::Take(uint64_t most) {
  if (const int number = socket_.TakeError(named_)) {
    FailReceive(number);
    return false;
  }
  const auto got = socket_.TakeBytes(std::min<uint64_t>(most, base::kMaxFrameBytes));
  const int number = errno;
  if (!got.ok()) {  // the daemon keeps all it may; nobody tells when that ends
    RetryLater();
    return false;
  }
  retry_ = {};
  if (*got < 0 && number != EAGAIN) FailReceive(number);
  if (*got == 0) {
    receive_over_ = true;
    client_->OnEndOfStream(next_);
  }
  return *got > 0;
}

void Attachment::FailReceive(int number) {
  receive_over_ = true;
  base::Error error = socket_.DataFault(Call::kReceive, "recvmsg", number);
  // Whoever names the same offset again gets it again.
  if (socket_.info().state == State::kDisconnected) socket_.KeepError(number, true);
  client_->OnReceiveError(std::move(error));
}

base::Status Attachment::Acknowledge(uint64_t offset) {
  if (offset < acknowledged_ || offset > next_) {
    return socket_.Describe(base::OffsetOutOfRange("acknowledge.offset", offset, acknowledged_, next_), "attach");
  }
  acknowledged_ = offset;
  socket_.bytes().DropBelow(offset);
  socket_.bytes().BeginReceiving(offset);
  socket_.NoteRetained();
  Receive();
  return base::Ok();
}

void Attachment::NoteGiven() { socket_.bytes().GiveBelow(std::min(client_->Given(), next_)); }

// --- What goes out. ---

base::Status Attachment::Send(uint64_t offset, std::string bytes) {
  if (offset != expected_) {
    return socket_.Describe(base::OffsetOutOfRange("data.offset", offset, expected_, expected_), "attach");
  }
  const uint64_t sent = socket_.sent();
  if (bytes.size() > sent + send_window_ - offset) {
    return socket_.Describe(base::CreditExceeded("data", offset + bytes.size(), sent + send_window_), "attach");
  }
  expected_ += bytes.size();
  if (offset < sent) bytes.erase(0, sent - offset);  // the kernel has accepted them before
  if (bytes.empty() || send_over_) return base::Ok();
  const bool first = steps_.empty();
  if (!first && steps_.back().kind == Step::Kind::kData && steps_.back().bytes.size() + bytes.size() <= kSmallPiece) {
    steps_.back().bytes += bytes;
  } else {
    steps_.push_back({.bytes = std::move(bytes)});
  }
  if (first) RunSteps();
  return base::Ok();
}

void Attachment::Shutdown() {
  if (send_over_) return;
  steps_.push_back({.kind = Step::Kind::kShutdown});
  RunSteps();
}

void Attachment::SetOptions(OptionList options) {
  steps_.push_back({.kind = Step::Kind::kOptions, .options = std::move(options)});
  RunSteps();
}

void Attachment::Detach() {
  receive_over_ = true;
  steps_.push_back({.kind = Step::Kind::kDetach});
  RunSteps();
}

void Attachment::RunSteps() {
  const auto self = shared_from_this();  // the last step is to go
  size_t in_this_turn = 0;
  while (!steps_.empty()) {
    if (in_this_turn >= base::kFairShareBytes) return Continue();
    if (steps_.front().kind == Step::Kind::kData) {
      if (!SendSome(&in_this_turn)) return;
    } else {
      Step step = std::move(steps_.front());
      steps_.pop_front();
      RunStep(std::move(step));
    }
  }
}

void Attachment::RunStep(Step step) {
  if (step.kind == Step::Kind::kShutdown) {
    auto status = socket_.Shutdown(SHUT_WR);
    if (!status.ok()) return FailSend(std::move(status).error());
    client_->OnShutdown();
  } else if (step.kind == Step::Kind::kOptions) {
    auto status = socket_.SetOptions(step.options);
    client_->OnOptions(status.ok() ? socket_.GetOptions() : std::move(status).error());
  } else {
    socket_.Detach();
    End(std::nullopt);
  }
}

bool Attachment::SendSome(size_t* count) {
  std::array<iovec, kPiecesAtOnce> parts;
  size_t used = 0;
  for (auto step = steps_.begin(); step != steps_.end() && used < parts.size(); ++step) {
    if (step->kind != Step::Kind::kData) break;
    const size_t skip = used == 0 ? front_sent_ : 0;
    parts[used++] = {.iov_base = step->bytes.data() + skip, .iov_len = step->bytes.size() - skip};
  }
  msghdr message{};
  message.msg_iov = parts.data();
  message.msg_iovlen = used;
  const ssize_t sent = socket_.syscalls().SendMsg(socket_.fd(), &message, MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent < 0) {
    const int number = errno;
    if (number == EAGAIN) return false;
    base::Error error = socket_.DataFault(Call::kSend, "sendmsg", number);
    // The kernel tells it once, but it is the receiving side's as well, behind what is still to be received. (EPIPE is
    // of this side alone.)
    if (socket_.info().state == State::kDisconnected && number != EPIPE && !receive_over_) socket_.OweError(number);
    FailSend(std::move(error));
    Receive();
    return true;
  }
  *count += static_cast<size_t>(sent);
  socket_.NoteSent(static_cast<uint64_t>(sent));
  socket_.gauges().bytes_sent.fetch_add(static_cast<uint64_t>(sent), std::memory_order_relaxed);
  PopSent(static_cast<size_t>(sent));
  client_->OnAccepted(socket_.sent());
  return true;
}

void Attachment::PopSent(size_t count) {
  front_sent_ += count;
  while (front_sent_ > 0 && front_sent_ >= steps_.front().bytes.size()) {
    front_sent_ -= steps_.front().bytes.size();
    steps_.pop_front();
  }
}

void Attachment::FailSend(base::Error error) {
  send_over_ = true;
  front_sent_ = 0;
  std::erase_if(steps_,
                [](const Step& step) { return step.kind == Step::Kind::kData || step.kind == Step::Kind::kShutdown; });
  client_->OnSendError(std::move(error));
}

// --- Its end, and its turns. ---

void Attachment::Leave() {
  if (!client_) return;
  socket_.Detach();
  client_.reset();
}

void Attachment::End(std::optional<base::Error> why) {
  steps_.clear();
  const auto client = std::exchange(client_, nullptr);
  client->OnDetached(std::move(why));
}

void Attachment::Continue() {
  if (!std::exchange(scheduled_, true)) socket_.loop().Post(NextTurn());
}

void Attachment::RetryLater() {
  if (std::exchange(scheduled_, true)) return;
  retry_ = std::clamp(retry_ * 2, kFirstRetry, kLongestRetry);
  socket_.loop().RunAt(socket_.loop().Now() + retry_, NextTurn());
}

Task Attachment::NextTurn() {
  return [weak = weak_from_this()] {
    const auto self = weak.lock();
    if (!self) return;
    self->scheduled_ = false;
    self->Receive();
    self->RunSteps();
  };
}

}  // namespace socketeer::net
