#include "server/net/datagram_operations.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "server/base/limits.h"
#include "server/net/datagram_batch.h"

namespace socketeer::net {
namespace {

// Of what an attached stream met, and kept in a datagram's place.
base::Error FaultOf(Socket& socket, int number) {
  return socket.DataFault(Call::kReceive, ReceiveCallOf(socket.info().kind), number);
}

}  // namespace

bool SendDatagramsOperation::Skip(Socket& socket) {
  if (!sequence_) return true;
  const uint64_t at = *sequence_ + result_.datagrams_sent;
  if (at > socket.sent()) {
    Fail(socket, socket.Describe(base::OffsetOutOfRange("sequence", *sequence_, 0, socket.sent()), "send"));
    return false;
  }
  const uint64_t known = std::min<uint64_t>(socket.sent() - at, datagrams_.size() - result_.datagrams_sent);
  for (uint64_t i = 0; i < known; ++i) bytes_sent_ += datagrams_[result_.datagrams_sent++].payload.size();
  result_.datagrams_skipped += static_cast<uint32_t>(known);
  return known == 0 || result_.datagrams_sent < datagrams_.size();
}

bool SendDatagramsOperation::MayGoOn(Socket& socket, Progress* otherwise) {
  auto turn = socket.AskToMove(mode(), &let_in_);
  if (turn.ok() && *turn == Progress::kDone) return true;
  // As with a kernel that is full.
  if (result_.datagrams_sent > 0) socket.NoteAutobind();
  const bool enough = mode() != Mode::kWhole && result_.datagrams_sent > result_.datagrams_skipped;
  *otherwise = turn.ok() && !enough ? *turn : Progress::kDone;
  if (!turn.ok() && !enough) Fail(socket, socket.Describe(std::move(turn).error(), verb()));
  return false;
}

Progress SendDatagramsOperation::Try(Socket& socket) {
  if (!Skip(socket)) return Progress::kDone;
  size_t in_this_turn = 0;
  while (result_.datagrams_sent < datagrams_.size()) {
    if (in_this_turn >= base::kFairShareBytes) return Progress::kMore;
    const OutgoingDatagram& next = datagrams_[result_.datagrams_sent];
    if (auto refused = Refuse(socket, next)) {
      Fail(socket, socket.Describe(*std::move(refused), "send"));
      return Progress::kDone;
    }
    auto permitted = socket.PermitSend(next.destination);
    if (!permitted.ok()) {
      if (result_.datagrams_sent > 0) socket.NoteAutobind();
      Fail(socket, std::move(permitted).error());
      return Progress::kDone;
    }
    if (Progress otherwise{}; !MayGoOn(socket, &otherwise)) return otherwise;
    iovec part{.iov_base = const_cast<char*>(next.payload.data()), .iov_len = next.payload.size()};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    const SocketAddress& to = *permitted ? (*permitted)->address() : next.destination;
    if (!to.empty()) {
      message.msg_name = const_cast<sockaddr*>(to.data());
      message.msg_namelen = to.size();
    }
    if (socket.syscalls().SendMsg(socket.fd(), &message, MSG_DONTWAIT | MSG_NOSIGNAL) < 0) {
      return EndWithError(socket, errno);
    }
    ++result_.datagrams_sent;
    socket.NoteSent(1);
    bytes_sent_ += next.payload.size();
    in_this_turn += next.payload.size() + 1024;  // a small datagram costs a system call too
    socket.CountSent(next.payload.size(), 1);
  }
  socket.NoteAutobind();
  return Progress::kDone;
}

std::optional<base::Error> SendDatagramsOperation::Refuse(Socket& socket, const OutgoingDatagram& next) const {
  if (socket.MustRefuseSend(next.destination)) {
    if (result_.datagrams_sent > 0) socket.NoteAutobind();
    return base::WrongState("send", "it has no peer, and the datagram has no destination");
  }
  if (socket.info().kind.IsConnectionOriented() && !next.destination.empty()) {
    // The kernel would send it to the peer, without a word.
    return base::InvalidField("datagrams[" + std::to_string(result_.datagrams_sent) + "].destination",
                              next.destination.ToString(), "absent: a record goes to the connected peer");
  }
  return std::nullopt;
}

Progress SendDatagramsOperation::EndWithError(Socket& socket, int number) {
  socket.NoteAutobind();  // the kernel binds, and then may refuse
  if (number == EAGAIN) {
    const bool enough = mode() != Mode::kWhole && result_.datagrams_sent > result_.datagrams_skipped;
    if (enough) return Progress::kDone;
    if (mode() != Mode::kExact) {
      // A full queue at another UNIX socket is announced only to the one that is connected to it.
      const bool announced =
          socket.info().kind.family != AF_UNIX || datagrams_[result_.datagrams_sent].destination.empty();
      return announced ? Progress::kBlocked : Progress::kUnannounced;
    }
  }
  const SocketAddress& tried = datagrams_[result_.datagrams_sent].destination;
  Fail(socket, socket.DataFault(tried.empty() ? Call::kSend : Call::kSendTo, "sendmsg", number));
  if (!tried.empty()) error_->peer = tried.bytes();
  return Progress::kDone;
}

void SendDatagramsOperation::Settle(Socket& socket) { result_.next_sequence = socket.sent(); }

void SendDatagramsOperation::Fail(Socket&, base::Error error) {
  error_ = std::move(error);
  error_->bytes_done = bytes_sent_;
  error_->datagrams_done = result_.datagrams_sent;
}

bool ReceiveDatagramsOperation::Full() const {
  if (count_ >= want_.max_datagrams) return true;
  return count_ > 0 && payload_bytes_ + want_.max_bytes > base::kMaxPayloadBytes;
}

void ReceiveDatagramsOperation::Count(const IncomingDatagram& datagram) {
  ++count_;
  payload_bytes_ += std::min<size_t>(datagram.payload.size(), want_.max_bytes);
}

IncomingDatagram ReceiveDatagramsOperation::Cut(IncomingDatagram datagram) const {
  if (datagram.payload.size() > want_.max_bytes) datagram.payload.resize(want_.max_bytes);
  return datagram;
}

bool ReceiveDatagramsOperation::Begin(Socket& socket) {
  RetainedDatagrams& kept = socket.datagrams();
  if (begun_) return true;
  auto from = kept.Find(want_.sequence, "sequence");
  if (!from.ok()) {
    error_ = socket.Describe(std::move(from).error(), verb());
    return false;
  }
  result_.sequence = *from;
  if (want_.peek) return true;
  begun_ = true;
  kept.BeginReceiving(*from);
  if (named()) {
    kept.DropBelow(*from);
    socket.NoteRetained();
  }
  from_kept_ = !CountKept(socket) || (count_ > 0 && mode() != Mode::kWhole);
  return true;
}

bool ReceiveDatagramsOperation::CountKept(Socket& socket) {
  RetainedDatagrams& kept = socket.datagrams();
  while (count_ < kept.held() && !Full()) {
    const IncomingDatagram& next = *kept.At(kept.from() + count_);
    if (next.error != 0) {
      failed_ = count_ == 0;
      if (failed_) error_ = FaultOf(socket, next.error);
      return false;
    }
    Count(next);
  }
  return true;
}

bool ReceiveDatagramsOperation::MayGoOn(Socket& socket, Progress* otherwise) {
  auto turn = socket.AskToMove(mode(), &let_in_);
  if (turn.ok() && *turn == Progress::kDone) return true;
  const bool enough = let_in_ && count_ >= Enough();
  *otherwise = turn.ok() && !enough ? *turn : Progress::kDone;
  if (!turn.ok() && !enough) error_ = socket.Describe(std::move(turn).error(), verb());
  return false;
}

Progress ReceiveDatagramsOperation::Try(Socket& socket) {
  if (auto permitted = socket.PermitHere(Act::kReceive); !permitted.ok()) {
    error_ = std::move(permitted).error();
    return Progress::kDone;
  }
  if (!Begin(socket)) return Progress::kDone;
  Progress otherwise{};
  if (!failed_ && !MayGoOn(socket, &otherwise)) return otherwise;
  if (want_.peek) return Peek(socket);
  if (from_kept_) return Progress::kDone;
  RetainedDatagrams& kept = socket.datagrams();
  size_t in_this_turn = 0;
  while (!Full()) {
    if (in_this_turn >= base::kFairShareBytes) return Progress::kMore;
    if (in_this_turn > 0 && !MayGoOn(socket, &otherwise)) return otherwise;
    if (const int number = socket.TakeError(false)) return EndWithError(socket, number);
    const auto got = socket.TakeDatagram();
    if (!got.ok()) return EndAtTheBound(socket, got.error());
    if (*got < 0) return EndWithError(socket, errno);
    if (*got > 0) {
      result_.end_of_stream = true;
      return Progress::kDone;
    }
    const IncomingDatagram& datagram = *kept.At(kept.end() - 1);
    in_this_turn += datagram.payload.size() + 1024;
    Count(datagram);
  }
  return Progress::kDone;
}

Progress ReceiveDatagramsOperation::Peek(Socket& socket) {
  RetainedDatagrams& kept = socket.datagrams();
  if (result_.sequence < kept.end()) {
    if (const int failure = kept.At(result_.sequence)->error) {
      error_ = FaultOf(socket, failure);
      return Progress::kDone;
    }
    result_.datagrams.push_back(Cut(*kept.At(result_.sequence)));
    result_.replayed = result_.sequence < kept.given();
    socket.CountMoved(result_.datagrams.back().payload.size());
    return Progress::kDone;
  }
  if (const int number = socket.TakeError(false, true)) return EndWithError(socket, number);
  IncomingDatagram datagram;
  const int got = socket.ReadDatagram(&datagram, true);
  if (got < 0) return EndWithError(socket, errno);
  result_.end_of_stream = got > 0;
  if (got == 0) result_.datagrams.push_back(Cut(std::move(datagram)));
  return Progress::kDone;
}

Progress ReceiveDatagramsOperation::EndAtTheBound(Socket& socket, base::Error error) {
  if (count_ >= Enough()) return Progress::kDone;
  if (!named() && mode() != Mode::kWhole) {
    looked_ = true;  // there is one, or it would be no question of room
  } else {
    error_ = socket.Describe(std::move(error), verb());
  }
  return Progress::kDone;
}

Progress ReceiveDatagramsOperation::EndWithError(Socket& socket, int number) {
  if (number == EAGAIN) {
    if (count_ >= Enough()) return Progress::kDone;
    if (mode() != Mode::kExact) return Progress::kBlocked;
  }
  if (count_ == 0) {
    error_ = socket.DataFault(Call::kReceive, "recvmsg", number);
  } else {
    socket.NoteDataError(number);
    socket.KeepError(number, false);
  }
  return Progress::kDone;
}

void ReceiveDatagramsOperation::Settle(Socket& socket) {
  RetainedDatagrams& kept = socket.datagrams();
  if (want_.peek) return;
  if (!begun_) {
    result_.sequence = want_.sequence.value_or(kept.given());
    return;
  }
  kept.EndReceiving();
  const uint64_t from = result_.sequence;
  if (failed_) {
    named() ? kept.GiveBelow(from + 1) : kept.DropBelow(from + 1);
    socket.NoteRetained();
  }
  if (error_) return;
  if (!let_in_) count_ = 0;  // its time was over before its owner's quota let it in
  result_.replayed = count_ > 0 && from < kept.given();
  if (named()) {
    for (uint64_t number = from; number < from + count_; ++number) {
      if (number >= kept.given()) kept.Truncate(number, want_.max_bytes);
      result_.datagrams.push_back(Cut(*kept.At(number)));
      if (number < kept.given()) socket.CountMoved(result_.datagrams.back().payload.size());
    }
    kept.GiveBelow(from + count_);
  } else {
    // What it gets acknowledges what others got before; nothing does not.
    if (count_ > 0 || looked_ || result_.end_of_stream) kept.DropBelow(from);
    for (IncomingDatagram& each : kept.Take(count_)) result_.datagrams.push_back(Cut(std::move(each)));
  }
  if (looked_) {
    IncomingDatagram datagram;
    const int got = socket.ReadDatagram(&datagram, false);
    result_.end_of_stream = got > 0;
    if (got < 0) error_ = socket.DataFault(Call::kReceive, "recvmsg", errno);  // it came after the look
    if (got == 0) {
      kept.PassBy(1);
      result_.datagrams.push_back(Cut(std::move(datagram)));
    }
  }
  socket.NoteRetained();
}

void ReceiveDatagramsOperation::Fail(Socket& socket, base::Error error) {
  if (begun_) socket.datagrams().EndReceiving();
  if (error_ && !failed_ && error_->errno_number != 0 && error_->errno_number != EAGAIN) {
    socket.KeepError(error_->errno_number, false);
  }
  error_ = std::move(error);
}

}  // namespace socketeer::net
