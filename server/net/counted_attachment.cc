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
  if (std::exchange(timed_, true)) return;
  retry_ = std::clamp(retry_ * 2, kFirstDelay, kLongestDelay);
  socket_.loop().RunAt(socket_.loop().Now() + retry_, NextTurn(&timed_));
}

Task CountedAttachment::NextTurn(bool* scheduled) {
  return [weak = weak_from_this(), scheduled] {
    const auto self = weak.lock();
    if (!self || self->over()) return;
    *scheduled = false;
    self->Receive();
    if (!self->over()) self->RunSteps();
  };
}

}  // namespace socketeer::net
