#include "server/net/stream_operations.h"

#include <cerrno>
#include <utility>

#include "server/base/limits.h"
#include "server/net/socket.h"

namespace socketeer::net {

Progress SendOperation::Try(Socket& socket) {
  size_t in_this_turn = 0;
  do {
    iovec part{.iov_base = const_cast<char*>(data_.data()) + result_.bytes_sent,
               .iov_len = data_.size() - result_.bytes_sent};
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
    socket.gauges().bytes_sent.fetch_add(count, std::memory_order_relaxed);
    if (mode() != Mode::kWhole || result_.bytes_sent == data_.size()) return Progress::kDone;
  } while (in_this_turn < base::kFairShareBytes);
  return Progress::kMore;
}

void SendOperation::Fail(Socket&, base::Error error) {
  error_ = std::move(error);
  error_->bytes_done = result_.bytes_sent;
}

Progress ReceiveOperation::Try(Socket& socket) {
  size_t in_this_turn = 0;
  do {
    char* const scratch = socket.loop().scratch();
    const ssize_t got = socket.Receive(scratch, want_.max_bytes - result_.data.size(), want_.peek);
    if (got < 0) return EndWithError(socket, errno);
    if (got == 0) {
      result_.end_of_stream = true;
      return Progress::kDone;
    }
    const auto count = static_cast<size_t>(got);
    result_.data.append(scratch, count);
    in_this_turn += count;
    if (mode() != Mode::kWhole || result_.data.size() >= want_.min_bytes) return Progress::kDone;
  } while (in_this_turn < base::kFairShareBytes);
  return Progress::kMore;
}

Progress ReceiveOperation::EndWithError(Socket& socket, int number) {
  if (number == EAGAIN && mode() != Mode::kExact) return Progress::kBlocked;
  if (result_.data.empty()) {
    error_ = socket.DataFault(Call::kReceive, "recvmsg", number);
  } else {
    socket.NoteDataError(number);
    socket.PutBackError(number);  // the bytes first; the next call tells the error
  }
  return Progress::kDone;
}

void ReceiveOperation::Fail(Socket& socket, base::Error error) {
  if (!want_.peek) socket.PutBack(std::exchange(result_.data, {}));
  if (error_ && error_->errno_number != 0 && error_->errno_number != EAGAIN) socket.PutBackError(error_->errno_number);
  error_ = std::move(error);
}

}  // namespace socketeer::net
