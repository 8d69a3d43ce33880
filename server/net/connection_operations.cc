#include "server/net/connection_operations.h"

#include <cerrno>
#include <utility>

#include "server/net/scope_guard.h"
#include "server/net/socket.h"

namespace socketeer::net {

Progress ConnectOperation::Try(Socket& socket) {
  const bool tcp = socket.info().kind.IsTcp();
  const State state = socket.info().state;
  const bool idle = state == State::kCreated || state == State::kBound;
  if (waited_ && tcp && idle && !socket.connect_failed()) {
    // Somebody disconnected or shut down the attempt. To call connect(2) again would begin a new one.
    error_ = socket.Fault(Call::kConnect, "connect", ECONNABORTED);
    error_->peer = peer_.bytes();
    return Progress::kDone;
  }
  auto permitted = socket.PermitConnect(peer_);
  if (!permitted.ok()) {
    error_ = std::move(permitted).error();
    return Progress::kDone;
  }
  const std::optional<Target>& target = *permitted;
  const SocketAddress& to = target ? target->address() : peer_;
  const ScopeGuard scope(socket.syscalls(), socket.fd(), peer_);
  const bool connected = socket.syscalls().Connect(socket.fd(), to.data(), to.size()) == 0;
  const int number = errno;
  // A connection in the making leads where the call that began it said, whatever this one says.
  const bool begun = connected || (tcp && (number == EINPROGRESS || number == EINTR));
  if (begun && state != State::kConnecting)
    socket.NoteLedTo(target ? target->place() : Place{.address = socket.Reached(peer_)});
  if (connected) {
    if (peer_.family() == AF_UNSPEC) {
      socket.NoteDisconnected();
    } else {
      socket.Enter(State::kConnected);
    }
    return Progress::kDone;
  }
  // An interrupted connect(2) goes on, too (POSIX).
  const bool goes_on = number == EINPROGRESS || number == EALREADY || number == EINTR;
  const bool disconnects = peer_.family() == AF_UNSPEC;
  const bool under_way = tcp && !disconnects && goes_on;
  if (under_way && state != State::kConnecting) socket.Enter(State::kConnecting);
  if (mode() != Mode::kExact) {
    waited_ = under_way;
    if (under_way) return Progress::kBlocked;
    // The backlog of a UNIX listener is full.
    if (number == EAGAIN && socket.info().kind.family == AF_UNIX) return Progress::kUnannounced;
  }
  if (!under_way) {
    scope.Undo();
    socket.NoteConnectFailure();
  }
  error_ = socket.Fault(disconnects ? Call::kDisconnect : Call::kConnect, "connect", number);
  error_->peer = peer_.bytes();
  return Progress::kDone;
}

bool AcceptOperation::Begin(Socket& socket) {
  RetainedConnections& kept = socket.connections();
  if (begun_) return true;
  auto from = kept.Find(want_.sequence, "sequence");
  if (!from.ok()) {
    error_ = socket.Describe(std::move(from).error(), verb());
    return false;
  }
  result_.sequence = *from;
  begun_ = true;
  kept.BeginReceiving(*from);
  if (want_.sequence) kept.DropBelow(*from);
  return true;
}

Progress AcceptOperation::Try(Socket& socket) {
  if (auto permitted = socket.PermitHere(Act::kListen); !permitted.ok()) {
    error_ = std::move(permitted).error();
    return Progress::kDone;
  }
  if (!Begin(socket)) return Progress::kDone;
  RetainedConnections& kept = socket.connections();
  if (kept.held() == 0) {
    if (const Progress progress = Take(socket); kept.held() == 0) return progress;
  }
  const IncomingConnection& next = *kept.At(kept.from());
  result_.replayed = next.became != nullptr;
  result_.became = next.became;
  if (result_.replayed) return Progress::kDone;
  auto turn = socket.AskToOpen(mode());
  if (!turn.ok()) error_ = socket.Describe(std::move(turn).error(), verb());
  if (error_ || *turn != Progress::kDone) return error_ ? Progress::kDone : *turn;
  if (!want_.reserve) {
    socket.CountOpened();
    return Progress::kDone;
  }
  auto reserved = want_.reserve();
  if (reserved.ok()) {
    socket.CountOpened();
    result_.became = *std::move(reserved);
  } else {
    error_ = std::move(reserved).error();
  }
  return Progress::kDone;
}

Progress AcceptOperation::Take(Socket& socket) {
  auto accepted = socket.TakeConnection();
  if (accepted.ok()) return Progress::kDone;
  if (accepted.error().errno_number == EAGAIN && mode() != Mode::kExact) return Progress::kBlocked;
  error_ = std::move(accepted).error();
  return Progress::kDone;
}

void AcceptOperation::Settle(Socket& socket) {
  RetainedConnections& kept = socket.connections();
  if (!begun_) {
    result_.sequence = want_.sequence.value_or(kept.given());
    return;
  }
  // One that its owner's quota has not let in by then is for the next call.
  const bool got = !error_ && !result_.timed_out && kept.held() > 0;
  kept.EndReceiving();
  if (!got) return;
  const uint64_t number = result_.sequence;
  if (!result_.replayed) {
    AcceptResult given = socket.GiveConnection(number, result_.became);
    result_.fd = given.fd;
    result_.info = std::move(given.info);
    result_.bound = std::move(given.bound);
  }
  kept.GiveBelow(number + 1);
  if (!want_.sequence) kept.DropBelow(number + 1);
}

void AcceptOperation::Fail(Socket& socket, base::Error error) {
  if (begun_) socket.connections().EndReceiving();
  error_ = std::move(error);
}

Progress ShutdownOperation::Try(Socket& socket) {
  auto status = socket.Shutdown(how_);
  if (!status.ok()) error_ = std::move(status).error();
  return Progress::kDone;
}

}  // namespace socketeer::net
