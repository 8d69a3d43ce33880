// What an attached stream of datagrams sends.
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <utility>

#include "server/base/limits.h"
#include "server/net/datagram_attachment.h"
#include "server/net/datagram_batch.h"
#include "server/net/socket.h"

namespace socketeer::net {

base::Status DatagramAttachment::Send(uint64_t sequence, std::vector<QueuedDatagram> datagrams) {
  if (sequence != expected_) {
    return socket_.Describe(base::OffsetOutOfRange("datagrams.sequence", sequence, expected_, expected_), "attach");
  }
  const uint64_t end = sequence + datagrams.size();
  // By what the client was told, so that it cannot have failures without end waiting for it.
  const uint64_t limit = std::max(client().DoneTold(), sent_before_) + send_window_;
  if (end > limit) return socket_.Describe(base::CreditExceeded("datagrams", end, limit), "attach");
  uint64_t bytes = 0;
  for (const QueuedDatagram& each : datagrams) bytes += each.payload.size();
  const uint64_t most = send_window_ * base::kDatagramWindowBytes;
  if (bytes_waiting_ + bytes > most) {
    return socket_.Describe(base::CreditExceeded("datagrams.payload", bytes_waiting_ + bytes, most), "attach");
  }
  expected_ = end;
  const uint64_t sent = socket_.sent();
  if (sequence < sent) {  // the kernel has accepted them before
    datagrams.erase(datagrams.begin(), datagrams.begin() + static_cast<ptrdiff_t>(std::min(end, sent) - sequence));
  }
  if (!datagrams.empty() && !send_over_) Push({.datagrams = std::move(datagrams)});
  return base::Ok();
}

void DatagramAttachment::Shutdown() {
  if (!send_over_) Push({.kind = Step::Kind::kShutdown});
}

void DatagramAttachment::SetOptions(OptionList options) {
  Push({.kind = Step::Kind::kOptions, .options = std::move(options)});
}

void DatagramAttachment::Detach() {
  receive_over_ = true;
  Push({.kind = Step::Kind::kDetach});
}

void DatagramAttachment::Push(Step step) {
  for (const QueuedDatagram& each : step.datagrams) bytes_waiting_ += each.payload.size();
  const bool first = steps_.empty();
  steps_.push_back(std::move(step));
  if (first) RunSteps();  // else the kernel is full, or the loop's others have their turn
}

void DatagramAttachment::RunSteps() {
  const auto self = shared_from_this();  // the last step is to go
  const Socket::Acting acting(socket_, actor_.get());
  size_t in_this_turn = 0;
  while (!over() && !steps_.empty() && MayAct(actor_.get())) {
    if (in_this_turn >= socket_.AtOnce(base::kFairShareBytes, true)) return Continue();
    if (steps_.front().kind == Step::Kind::kData) {
      if (!SendSome(&in_this_turn)) return;
    } else {
      Step step = std::move(steps_.front());
      steps_.pop_front();
      RunStep(std::move(step));
    }
  }
}

void DatagramAttachment::RunStep(Step step) {
  if (step.kind == Step::Kind::kOptions) return TellOptions(step.options);
  if (step.kind == Step::Kind::kDetach) return FinishDetach();
  auto status = socket_.Shutdown(SHUT_WR);
  if (!status.ok()) return FailSend(std::move(status).error());
  client().OnShutdown();
}

size_t DatagramAttachment::BatchOf(std::span<const QueuedDatagram> datagrams) const {
  // sendmmsg(2) tells an error of its first message only. Of the others it is asked again; but what a connected socket
  // had pending (ECONNREFUSED) is taken away by then, and nobody would ever hear of it.
  if (socket_.info().state == State::kConnected) return 1;
  // Under a policy only what goes to the same address is judged together; and where a path leads may change.
  const bool judged = socket_.IsJudged();
  if (judged && datagrams[0].destination.IsUnixPath()) return 1;
  size_t count = 1, bytes = datagrams[0].payload.size();
  const size_t most = socket_.AtOnce(SIZE_MAX, true);
  const auto joins = [&](const SocketAddress& to) {
    return !socket_.MustRefuseSend(to) && (!judged || to == datagrams[0].destination);
  };
  while (count < std::min(datagrams.size(), kDatagramsAtOnce) && joins(datagrams[count].destination) &&
         bytes + datagrams[count].payload.size() <= most) {
    bytes += datagrams[count++].payload.size();
  }
  return count;
}

bool DatagramAttachment::SendSome(size_t* cost) {
  const std::span<const QueuedDatagram> waiting = steps_.front().left();
  if (socket_.MustRefuseSend(waiting[0].destination)) {
    FailFirst(socket_.Describe(base::WrongState("send", "it has no peer, and the datagram has no destination"), "send"),
              0);
    return true;
  }
  auto permitted = socket_.PermitSend(waiting[0].destination);
  if (!permitted.ok()) {
    FailFirst(std::move(permitted).error(), 0);
    return true;
  }
  if (!MayMove()) return false;
  std::array<mmsghdr, kDatagramsAtOnce> messages;
  std::array<iovec, kDatagramsAtOnce> parts;
  const size_t count = BatchOf(waiting);
  for (size_t i = 0; i < count; ++i) {
    const QueuedDatagram& each = waiting[i];
    parts[i] = {.iov_base = const_cast<char*>(each.payload.data()), .iov_len = each.payload.size()};
    msghdr& message = messages[i].msg_hdr;
    message = {};
    message.msg_iov = &parts[i];
    message.msg_iovlen = 1;
    if (each.destination.empty()) continue;
    const SocketAddress& to = *permitted ? (*permitted)->address() : each.destination;
    message.msg_name = const_cast<sockaddr*>(to.data());
    message.msg_namelen = to.size();
  }
  const int sent = socket_.syscalls().SendMMsg(socket_.fd(), messages.data(), static_cast<unsigned>(count),
                                               MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent > 0) {
    *cost += static_cast<size_t>(sent) * base::kDatagramOverhead;
    for (size_t i = 0; i < static_cast<size_t>(sent); ++i) *cost += waiting[i].payload.size();
    retry_ = {};
    PopSent(static_cast<size_t>(sent));
    return true;
  }
  const int number = errno;
  if (number == EAGAIN) {
    // A full queue at another UNIX socket is announced only to the one that is connected to it.
    if (socket_.info().kind.family == AF_UNIX && !waiting[0].destination.empty()) {
      socket_.ExpectEcho();
      RetryLater();
    }
    return false;
  }
  const SocketAddress& to = waiting[0].destination;
  base::Error error = socket_.DataFault(to.empty() ? Call::kSend : Call::kSendTo, "sendmmsg", number);
  if (!to.empty()) error.peer = to.bytes();
  FailFirst(std::move(error), number);
  *cost += base::kDatagramOverhead;
  return true;
}

void DatagramAttachment::PopSent(size_t count) {
  Step& step = steps_.front();
  uint64_t bytes = 0;
  for (size_t i = 0; i < count; ++i) bytes += step.datagrams[step.done++].payload.size();
  bytes_waiting_ -= bytes;
  if (step.done == step.datagrams.size()) steps_.pop_front();
  socket_.NoteSent(count);
  socket_.CountSent(bytes, count);
  socket_.NoteAutobind();
  client().OnDone(socket_.sent());
}

void DatagramAttachment::FailFirst(base::Error error, int number) {
  const bool disconnected = socket_.info().state == State::kDisconnected;
  if (socket_.info().kind.IsConnectionOriented() && (disconnected || number == EPIPE)) {
    // The kernel tells it once, but it is the receiving side's as well. (EPIPE is of this side alone.)
    if (disconnected && number != EPIPE && !receive_over_) socket_.OweError(number);
    FailSend(std::move(error));
    drained_ = false;
    return Receive();
  }
  Step& step = steps_.front();
  bytes_waiting_ -= step.datagrams[step.done++].payload.size();
  if (step.done == step.datagrams.size()) steps_.pop_front();
  socket_.NoteAutobind();  // whatever became of it, the socket may have a port by now
  const uint64_t sequence = socket_.sent();
  socket_.NoteSent(1);
  client().OnSendFailure(sequence, std::move(error));
  client().OnDone(sequence + 1);
}

void DatagramAttachment::FailSend(base::Error error) {
  send_over_ = true;
  bytes_waiting_ = 0;
  std::erase_if(steps_,
                [](const Step& step) { return step.kind == Step::Kind::kData || step.kind == Step::Kind::kShutdown; });
  client().OnSendError(std::move(error));
}

}  // namespace socketeer::net
