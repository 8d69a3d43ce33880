#include "server/net/datagram_operations.h"

#include <cerrno>
#include <utility>

#include "server/base/limits.h"

namespace socketeer::net {

Progress SendDatagramsOperation::Try(Socket& socket) {
  size_t in_this_turn = 0;
  while (result_.datagrams_sent < datagrams_.size()) {
    if (in_this_turn >= base::kFairShareBytes) return Progress::kMore;
    const OutgoingDatagram& next = datagrams_[result_.datagrams_sent];
    if (auto refused = Refuse(socket, next)) {
      Fail(socket, socket.Describe(*std::move(refused), "send"));
      return Progress::kDone;
    }
    iovec part{.iov_base = const_cast<char*>(next.payload.data()), .iov_len = next.payload.size()};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    if (!next.destination.empty()) {
      message.msg_name = const_cast<sockaddr*>(next.destination.data());
      message.msg_namelen = next.destination.size();
    }
    if (socket.syscalls().SendMsg(socket.fd(), &message, MSG_DONTWAIT | MSG_NOSIGNAL) < 0) {
      return EndWithError(socket, errno);
    }
    ++result_.datagrams_sent;
    bytes_sent_ += next.payload.size();
    in_this_turn += next.payload.size() + 1024;  // a small datagram costs a system call too
    socket.gauges().bytes_sent.fetch_add(next.payload.size(), std::memory_order_relaxed);
    socket.gauges().datagrams_sent.fetch_add(1, std::memory_order_relaxed);
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
  if (result_.datagrams_sent > 0) socket.NoteAutobind();
  if (number == EAGAIN) {
    const bool enough = mode() != Mode::kWhole && result_.datagrams_sent > 0;
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

void SendDatagramsOperation::Fail(Socket&, base::Error error) {
  error_ = std::move(error);
  error_->bytes_done = bytes_sent_;
  error_->datagrams_done = result_.datagrams_sent;
}

bool ReceiveDatagramsOperation::Full() const {
  const size_t count = result_.datagrams.size();
  if (count >= want_.max_datagrams) return true;
  return count > 0 && payload_bytes_ + want_.max_bytes > base::kMaxPayloadBytes;
}

Progress ReceiveDatagramsOperation::Try(Socket& socket) {
  size_t in_this_turn = 0;
  while (!Full()) {
    if (in_this_turn >= base::kFairShareBytes) return Progress::kMore;
    IncomingDatagram datagram;
    const int got = socket.ReceiveDatagram(&datagram, want_.peek);
    if (got < 0) return EndWithError(socket, errno);
    if (got > 0) {
      result_.end_of_stream = true;
      return Progress::kDone;
    }
    payload_bytes_ += datagram.payload.size();
    in_this_turn += datagram.payload.size() + 1024;
    result_.datagrams.push_back(std::move(datagram));
    if (want_.peek) return Progress::kDone;
  }
  return Progress::kDone;
}

Progress ReceiveDatagramsOperation::EndWithError(Socket& socket, int number) {
  const size_t count = result_.datagrams.size();
  if (number == EAGAIN) {
    const size_t enough = mode() == Mode::kWhole ? want_.min_datagrams : 1;
    if (count >= enough) return Progress::kDone;
    if (mode() != Mode::kExact) return Progress::kBlocked;
  }
  if (count == 0) {
    error_ = socket.DataFault(Call::kReceive, "recvmsg", number);
  } else {
    socket.NoteDataError(number);
    socket.PutBackError(number);
  }
  return Progress::kDone;
}

void ReceiveDatagramsOperation::Complete() {
  // Only now: until here a datagram might have had to go back whole.
  for (IncomingDatagram& each : result_.datagrams) {
    if (each.payload.size() > want_.max_bytes) each.payload.resize(want_.max_bytes);
  }
  OperationOf::Complete();
}

void ReceiveDatagramsOperation::Fail(Socket& socket, base::Error error) {
  if (!want_.peek) socket.PutBack(std::exchange(result_.datagrams, {}));
  if (error_ && error_->errno_number != 0 && error_->errno_number != EAGAIN) socket.PutBackError(error_->errno_number);
  error_ = std::move(error);
}

}  // namespace socketeer::net
