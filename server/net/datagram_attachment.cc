#include "server/net/datagram_attachment.h"

#include <sys/epoll.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "server/base/limits.h"
#include "server/net/datagram_batch.h"
#include "server/net/socket.h"

namespace socketeer::net {
namespace {

// A small datagram costs a turn's share of system calls, too.
constexpr size_t kCostOfOne = 1'024;

size_t CostOf(const IncomingDatagram& datagram) { return datagram.payload.size() + kCostOfOne; }

}  // namespace

DatagramAttachment::DatagramAttachment(Socket& socket, const AttachTerms& terms, uint64_t from,
                                       std::shared_ptr<DatagramClient> client)
    : CountedAttachment(socket, terms, from, std::move(client)),
      send_window_(terms.send_window),
      sent_before_(socket.sent()),
      named_(terms.receive_offset.has_value()),
      again_(socket.datagrams().end()),
      expected_(terms.send_offset.value_or(socket.sent())) {}

void DatagramAttachment::OnEvents(uint32_t events) {
  const bool broken = (events & (EPOLLHUP | EPOLLERR)) != 0;
  if (broken || (events & (EPOLLIN | EPOLLRDHUP | EPOLLPRI)) != 0) {
    drained_ = false;
    Receive();
  }
  if (broken || (events & EPOLLOUT) != 0) RunSteps();
}

void DatagramAttachment::Receive() {
  const Socket::Acting acting(socket_, actor_.get());
  size_t in_this_turn = 0;
  while (!over() && !receive_over_ && room() > 0 && MayAct(actor_.get())) {
    if (in_this_turn >= socket_.AtOnce(base::kFairShareBytes, true)) return Continue();
    if (auto permitted = socket_.PermitHere(Act::kReceive); !permitted.ok()) {
      receive_over_ = true;
      return client().OnReceiveError(std::move(permitted).error());
    }
    if (!MayMove()) return;
    if (next_ == socket_.datagrams().end() && !Take(room())) return;
    in_this_turn += HandOut(room());
  }
}

bool DatagramAttachment::Take(uint64_t most) {
  if (const int number = socket_.TakeError(named_)) return KeepFailure(number);
  if (drained_) return false;
  const auto got = socket_.TakeDatagrams(most, &drained_);
  const int number = errno;
  if (!got.ok()) {  // the daemon keeps all it may; nobody tells when that ends
    RetryLater();
    return false;
  }
  retry_ = {};
  if (*got > 0) return true;
  if (*got < 0 && number != EAGAIN) return KeepFailure(number);
  if (*got < 0) {
    drained_ = true;
    NoteDropped();
  } else if (const int owed = socket_.TakeOwedError()) {
    EndReceiving(owed);
  } else {
    receive_over_ = true;
    client().OnEndOfStream(next_);
  }
  return false;
}

bool DatagramAttachment::KeepFailure(int number) {
  if (socket_.info().kind.IsConnectionOriented()) {
    socket_.NoteDataError(number);
    if (socket_.info().state == State::kDisconnected) {
      EndReceiving(number);
      return false;
    }
  }
  if (socket_.KeepFailure(number)) return true;
  socket_.KeepError(number, false);  // until there is room for it
  RetryLater();
  return false;
}

void DatagramAttachment::EndReceiving(int number) {
  receive_over_ = true;
  base::Error error = socket_.DataFault(Call::kReceive, ReceiveCallOf(socket_.info().kind), number);
  socket_.KeepError(number, true);  // whoever names the same number again gets it again
  client().OnReceiveError(std::move(error));
}

void DatagramAttachment::NoteDropped() {
  const uint64_t dropped = socket_.CountDropped();
  if (std::exchange(dropped_told_, dropped) != dropped) client().OnDatagrams(next_, {}, dropped);
}

size_t DatagramAttachment::HandOut(uint64_t most) {
  RetainedDatagrams& kept = socket_.datagrams();
  const IncomingDatagram* const first = kept.At(next_);
  if (first->error != 0) {
    const char* const call = ReceiveCallOf(socket_.info().kind);
    client().OnReceiveFailure(next_, socket_.DataFault(Call::kReceive, call, first->error));
    ++next_;
    return kCostOfOne;
  }
  const auto there = static_cast<size_t>(std::min(most, kept.end() - next_));
  size_t count = 0, cost = 0;
  while (count < there && first[count].error == 0) {
    if (count > 0 && cost + CostOf(first[count]) > base::kMaxFrameBytes) break;
    if (next_ + count < again_) socket_.CountMoved(first[count].payload.size());
    cost += CostOf(first[count++]);
  }
  dropped_told_ = socket_.CountDropped();
  client().OnDatagrams(next_, {first, count}, dropped_told_);
  next_ += count;
  return cost;
}

void DatagramAttachment::Drop(uint64_t number) {
  socket_.datagrams().DropBelow(number);
  socket_.datagrams().BeginReceiving(number);
}

uint64_t DatagramAttachment::given() const { return std::max(socket_.datagrams().given(), PassedOn()); }

void DatagramAttachment::GiveBack() {
  socket_.datagrams().GiveBelow(given());
  socket_.datagrams().EndReceiving();
}

}  // namespace socketeer::net
