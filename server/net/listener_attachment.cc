#include "server/net/listener_attachment.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "server/base/limits.h"
#include "server/net/socket.h"

namespace socketeer::net {

void ListenerAttachment::Receive() {
  const auto self = shared_from_this();  // an error may end it
  const Socket::Acting acting(socket_, actor_.get());
  for (int done = 0; !over() && !receive_over_ && room() > 0 && MayAct(actor_.get()); ++done) {
    if (done == base::kFairShareOperations) return Continue();
    if (auto permitted = socket_.PermitHere(Act::kListen); !permitted.ok()) {
      return EndReceiving(std::move(permitted).error());
    }
    RetainedConnections& kept = socket_.connections();
    if (next_ == kept.end() && !Take()) return;
    if (!kept.At(next_)->became && (!MayBecome() || !Become())) return;
    client().OnConnection(next_, kept.At(next_)->became);
    ++next_;
  }
}

bool ListenerAttachment::Take() {
  auto accepted = socket_.TakeConnection();
  if (accepted.ok()) return true;
  const int number = accepted.error().errno_number;
  if (number == EAGAIN && socket_.info().read_shutdown) {
    // A UNIX listener. A blocking accept(2) would fail; this one would wait for ever.
    EndReceiving(socket_.Describe(base::WrongState("accept", "its read side is shut down"), "accept"));
  } else if (number == EINVAL) {  // it listens no more
    EndReceiving(std::move(accepted).error());
  } else if (number != EAGAIN) {
    Fail(std::move(accepted).error());
  }
  return false;
}

bool ListenerAttachment::MayBecome() {
  auto turn = socket_.AskToOpen(Mode::kWait);
  if (!turn.ok()) {
    Fail(socket_.Describe(std::move(turn).error(), "accept"));
    return false;
  }
  if (*turn == Progress::kDone) return true;
  RetryIn(socket_.quota_wait());
  return false;
}

bool ListenerAttachment::Become() {
  auto becomes = client().Reserve();
  if (!becomes.ok()) {
    Fail(socket_.Describe(std::move(becomes).error(), "accept"));
    return false;
  }
  auto adopted = client().Adopt(*becomes, socket_.GiveConnection(next_, *becomes));
  if (adopted.ok()) {
    socket_.CountOpened();
    told_.clear();
    retry_ = {};
    return true;
  }
  socket_.connections().ForgetLast();
  FinishDetach(socket_.Describe(std::move(adopted).error(), "accept"));
  return false;
}

void ListenerAttachment::EndReceiving(base::Error error) {
  receive_over_ = true;
  client().OnReceiveError(std::move(error));
}

void ListenerAttachment::Fail(base::Error error) {
  RetryLater();  // nobody tells when there is room again
  if (std::exchange(told_, error.reason) != error.reason) client().OnReceiveFailure(next_, std::move(error));
}

void ListenerAttachment::Drop(uint64_t number) {
  socket_.connections().DropBelow(number);
  socket_.connections().BeginReceiving(number);
}

uint64_t ListenerAttachment::given() const { return std::max(socket_.connections().given(), PassedOn()); }

void ListenerAttachment::GiveBack() {
  socket_.connections().GiveBelow(given());
  socket_.connections().EndReceiving();
}

}  // namespace socketeer::net
