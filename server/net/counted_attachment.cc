#include "server/net/counted_attachment.h"

#include <algorithm>

#include "server/net/socket.h"

namespace socketeer::net {
namespace {

constexpr std::chrono::milliseconds kFirstDelay{1};
constexpr std::chrono::milliseconds kLongestDelay{32};

}  // namespace

base::Status CountedAttachment::Acknowledge(uint64_t number) {
  // Not next_: who acknowledges without reading would have no end of it waiting for the wire.
  const uint64_t most = std::max(acknowledged_, PassedOn());
  if (number < acknowledged_ || number > most) {
    return socket_.Describe(base::OffsetOutOfRange("acknowledge.offset", number, acknowledged_, most), "attach");
  }
  const auto self = shared_from_this();
  acknowledged_ = number;
  Drop(number);
  socket_.NoteRetained();
  Receive();
  return base::Ok();
}

void CountedAttachment::TellOptions(const OptionList& options) {
  if (!MayAct(actor_.get())) return;
  const Socket::Acting acting(socket_, actor_.get());
  auto status = socket_.SetOptions(options);
  base::Result<OptionList> now = status.ok() ? socket_.GetOptions() : std::move(status).error();
  client_->OnOptions(std::move(now));
}

uint64_t CountedAttachment::PassedOn() const { return in_order_ ? next_ : std::min(client_->Given(), next_); }

void CountedAttachment::Seal() {
  if (client_ && !in_order_) client_->Seal();
}

void CountedAttachment::FinishDetach(std::optional<base::Error> why) {
  in_order_ = !why;
  socket_.Detach();
  End(std::move(why));
}

void CountedAttachment::Leave() {
  if (over()) return;
  socket_.Detach();
  client_.reset();
}

void CountedAttachment::End(std::optional<base::Error> why) {
  const auto client = std::exchange(client_, nullptr);
  client->OnDetached(std::move(why));
}

void CountedAttachment::Continue() {
  if (!std::exchange(posted_, true)) socket_.loop().Post(NextTurn(&posted_));
}

void CountedAttachment::RetryLater() {
  retry_ = std::clamp(retry_ * 2, kFirstDelay, kLongestDelay);
  RetryIn(retry_);
}

void CountedAttachment::RetryIn(std::chrono::nanoseconds delay) {
  if (!std::exchange(timed_, true)) socket_.loop().RunAt(socket_.loop().Now() + delay, NextTurn(&timed_));
}

bool CountedAttachment::MayMove() {
  const auto wait = socket_.WaitToMove();
  if (wait.count() == 0) return true;
  RetryIn(wait);
  return false;
}

Task CountedAttachment::NextTurn(bool* scheduled) {
  return [weak = weak_from_this(), scheduled] {
    const auto self = weak.lock();
    if (!self || self->over()) return;
    *scheduled = false;
    // By turns: under a quota the first one may take all that there is.
    const bool sends_first = std::exchange(self->sends_first_, !self->sends_first_);
    if (sends_first) self->RunSteps();
    if (!self->over()) self->Receive();
    if (!sends_first && !self->over()) self->RunSteps();
  };
}

}  // namespace socketeer::net
