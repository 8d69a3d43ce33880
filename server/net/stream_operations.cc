#include "server/net/stream_operations.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "server/base/limits.h"
#include "server/net/socket.h"

namespace socketeer::net {

bool SendOperation::Skip(Socket& socket) {
  if (!offset_) return true;
  const uint64_t at = *offset_ + result_.bytes_sent;
  if (at > socket.sent()) {
    Fail(socket, socket.Describe(base::OffsetOutOfRange("offset", *offset_, 0, socket.sent()), "send"));
    return false;
  }
  const uint64_t known = std::min<uint64_t>(socket.sent() - at, data_.size() - result_.bytes_sent);
  result_.bytes_sent += known;
  result_.bytes_skipped += known;
  return known == 0 || result_.bytes_sent < data_.size();
}

Progress SendOperation::Try(Socket& socket) {
  if (!Skip(socket)) return Progress::kDone;
  if (auto permitted = socket.PermitHere(Act::kSend); !permitted.ok()) {
    Fail(socket, std::move(permitted).error());
    return Progress::kDone;
  }
  size_t in_this_turn = 0;
  do {
    auto turn = socket.AskToMove(mode(), &let_in_);
    if (!turn.ok()) {
      Fail(socket, socket.Describe(std::move(turn).error(), verb()));
      return Progress::kDone;
    }
    if (*turn != Progress::kDone) return *turn;
    iovec part{.iov_base = const_cast<char*>(data_.data()) + result_.bytes_sent,
               .iov_len = socket.AtOnce(data_.size() - result_.bytes_sent)};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    const ssize_t sent = socket.syscalls().SendMsg(socket.fd(), &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0) {
      const int number = errno;
      if (number == EAGAIN && mode() != Mode::kExact) return Progress::kBlocked;
      error_ = socket.DataFault(Call::kSend, "sendmsg", number);
      error_->bytes_done = result_.bytes_sent;
      return Progress::kDone;
    }
    const auto count = static_cast<size_t>(sent);
    result_.bytes_sent += count;
    in_this_turn += count;
    socket.NoteSent(count);
    socket.CountSent(count, 0);
    if (mode() != Mode::kWhole || result_.bytes_sent == data_.size()) return Progress::kDone;
  } while (in_this_turn < socket.AtOnce(base::kFairShareBytes, true));
  return Progress::kMore;
}

void SendOperation::Settle(Socket& socket) { result_.next_offset = socket.sent(); }

void SendOperation::Fail(Socket&, base::Error error) {
  error_ = std::move(error);
  error_->bytes_done = result_.bytes_sent;
}

bool ReceiveOperation::Begin(Socket& socket) {
  RetainedBytes& kept = socket.bytes();
  if (begun_ && kept.receiving()) return true;  // else its connection is over, and the next one counts anew
  auto from = kept.Find(want_.offset, "offset");
  if (!from.ok()) {
    error_ = socket.Describe(std::move(from).error(), verb());
    return false;
  }
  result_.offset = *from;
  if (want_.peek) return true;
  begun_ = true;
  kept.BeginReceiving(*from);
  if (!named()) return true;
  kept.DropBelow(*from);
  socket.NoteRetained();
  return true;
}

bool ReceiveOperation::MayGoOn(Socket& socket, Progress* otherwise) {
  auto turn = socket.AskToMove(mode(), &let_in_);
  *otherwise = turn.ok() ? *turn : Progress::kDone;
  if (!turn.ok()) error_ = socket.Describe(std::move(turn).error(), verb());
  return !error_ && *otherwise == Progress::kDone;
}

Progress ReceiveOperation::Try(Socket& socket) {
  if (auto permitted = socket.PermitHere(Act::kReceive); !permitted.ok()) {
    error_ = std::move(permitted).error();
    return Progress::kDone;
  }
  if (!Begin(socket)) return Progress::kDone;
  Progress otherwise{};
  if (!MayGoOn(socket, &otherwise)) return otherwise;
  if (want_.peek) return Peek(socket);
  const RetainedBytes& kept = socket.bytes();
  const size_t enough = mode() == Mode::kWhole ? want_.min_bytes : 1;
  size_t in_this_turn = 0;
  while (kept.held() < enough) {
    if (in_this_turn >= socket.AtOnce(base::kFairShareBytes, true)) return Progress::kMore;
    if (in_this_turn > 0 && !MayGoOn(socket, &otherwise)) return otherwise;
    if (const int number = socket.TakeError(named())) return EndWithError(socket, number);
    const auto got = socket.TakeBytes(socket.AtOnce(want_.max_bytes - kept.held()));
    if (!got.ok()) return EndAtTheBound(socket, got.error());
    if (*got < 0) return EndWithError(socket, errno);
    if (*got == 0) {
      result_.end_of_stream = true;
      break;
    }
    in_this_turn += static_cast<size_t>(*got);
  }
  return Progress::kDone;
}

Progress ReceiveOperation::Peek(Socket& socket) {
  RetainedBytes& kept = socket.bytes();
  if (result_.offset < kept.end()) {
    result_.data.assign(kept.At(result_.offset), std::min<size_t>(want_.max_bytes, kept.end() - result_.offset));
    result_.replayed = result_.offset < kept.given();
    socket.CountMoved(result_.data.size());
    return Progress::kDone;
  }
  if (const int number = socket.TakeError(named(), true)) return EndWithError(socket, number);
  const ssize_t got = socket.ReadBytes(socket.loop().scratch(), want_.max_bytes, true);
  if (got < 0) return EndWithError(socket, errno);
  result_.data.assign(socket.loop().scratch(), static_cast<size_t>(got));
  result_.end_of_stream = got == 0;
  return Progress::kDone;
}

Progress ReceiveOperation::EndAtTheBound(Socket& socket, base::Error error) {
  // Whose bytes need not be kept may go on. But as they could not be put back, they stay in the kernel until Settle().
  if (!named() && mode() != Mode::kWhole) {
    const ssize_t got = socket.ReadBytes(socket.loop().scratch(), 1, true);
    if (got < 0) return EndWithError(socket, errno);
    looked_ = got > 0;
    result_.end_of_stream = got == 0;
  } else {
    error_ = socket.Describe(std::move(error), verb());
  }
  return Progress::kDone;
}

Progress ReceiveOperation::EndWithError(Socket& socket, int number) {
  if (number == EAGAIN && mode() != Mode::kExact) return Progress::kBlocked;
  if (want_.peek || socket.bytes().held() == 0) {
    error_ = socket.DataFault(Call::kReceive, "recvmsg", number);
    // Whoever names the same offset again gets it again.
    if (named() && socket.info().state == State::kDisconnected) socket.KeepError(number, true);
  } else {
    socket.NoteDataError(number);
    socket.KeepError(number, false);  // the bytes first; the next call tells the error
  }
  return Progress::kDone;
}

void ReceiveOperation::Settle(Socket& socket) {
  RetainedBytes& kept = socket.bytes();
  if (want_.peek) return;
  if (!begun_ || !kept.receiving()) {  // its time was over before its turn, or with its connection
    result_.offset = want_.offset.value_or(kept.given());
    return;
  }
  const uint64_t from = kept.from();
  // Its time was over before its owner's quota let it in.
  const size_t count = let_in_ ? std::min<size_t>(kept.held(), want_.max_bytes) : 0;
  kept.EndReceiving();
  if (error_) return;
  result_.replayed = count > 0 && from < kept.given();
  if (result_.replayed) socket.CountMoved(std::min(from + count, kept.given()) - from);
  // Without an offset: what it gets acknowledges what others got before; nothing does not.
  if (!named() && (count > 0 || looked_ || result_.end_of_stream)) kept.DropBelow(from);
  if (looked_) {
    const ssize_t got = socket.ReadBytes(socket.loop().scratch(), socket.AtOnce(want_.max_bytes), false);
    if (got > 0) result_.data.assign(socket.loop().scratch(), static_cast<size_t>(got));
    kept.PassBy(result_.data.size());
  } else if (named()) {
    result_.data.assign(kept.At(from), count);
    kept.GiveBelow(from + count);
  } else {
    result_.data = kept.Take(count);
  }
  socket.NoteRetained();
}

void ReceiveOperation::Fail(Socket& socket, base::Error error) {
  if (begun_) socket.bytes().EndReceiving();
  if (error_ && error_->errno_number != 0 && error_->errno_number != EAGAIN) {
    socket.KeepError(error_->errno_number, false);
  }
  error_ = std::move(error);
}

}  // namespace socketeer::net
