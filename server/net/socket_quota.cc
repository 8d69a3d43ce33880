// How much the owner of a socket may move and open: asked before the system call, counted after it.
#include "server/net/socket.h"

namespace socketeer::net {
namespace {

quota::Patience PatienceOf(Mode mode) {
  return mode == Mode::kExact ? quota::Patience::kNone : quota::Patience::kAsConfigured;
}

}  // namespace

base::Result<Progress> Socket::Turn(base::Result<std::chrono::nanoseconds> wait) {
  if (!wait.ok()) return std::move(wait).error();
  quota_wait_ = *wait;
  return quota_wait_.count() == 0 ? Progress::kDone : Progress::kDelayed;
}

base::Result<Progress> Socket::AskToMove(Mode mode, bool* let_in) {
  quota::Account* const account = this->account();
  const bool free = account == nullptr || !account->limits_bytes() || (*let_in && account->refuses_bytes());
  base::Result<Progress> turn = Progress::kDone;
  if (!free) turn = Turn(account->AskToMove(PatienceOf(mode)));
  if (turn.ok() && *turn == Progress::kDone) *let_in = true;
  return turn;
}

base::Result<Progress> Socket::AskToOpen(Mode mode) {
  quota::Account* const account = this->account();
  return account == nullptr ? Progress::kDone : Turn(account->AskWhetherToOpen(PatienceOf(mode)));
}

std::chrono::nanoseconds Socket::WaitToMove() {
  quota::Account* const account = this->account();
  if (account == nullptr || !account->limits_bytes()) return {};
  return *account->AskToMove(quota::Patience::kAlways);
}

size_t Socket::AtOnce(size_t size, bool stream) const {
  quota::Account* const account = this->account();
  if (account == nullptr || !account->limits_bytes() || (!stream && account->refuses_bytes())) return size;
  return std::min<size_t>(size, account->BytesAtOnce());
}

void Socket::CountMoved(uint64_t bytes) {
  quota::Account* const account = this->account();
  if (account != nullptr && account->limits_bytes()) account->CountBytes(bytes);
}

void Socket::CountOpened() {
  if (quota::Account* const account = this->account()) account->CountOpen();
}

void Socket::CountSent(uint64_t bytes, uint64_t datagrams) {
  gauges().bytes_sent.fetch_add(bytes, std::memory_order_relaxed);
  gauges().datagrams_sent.fetch_add(datagrams, std::memory_order_relaxed);
  loop_.counters().bytes_sent.Add(bytes);
  if (datagrams > 0) loop_.counters().datagrams_sent.Add(datagrams);
  CountMoved(bytes);
}

void Socket::CountReceived(uint64_t bytes, uint64_t datagrams) {
  gauges().bytes_received.fetch_add(bytes, std::memory_order_relaxed);
  gauges().datagrams_received.fetch_add(datagrams, std::memory_order_relaxed);
  loop_.counters().bytes_received.Add(bytes);
  if (datagrams > 0) loop_.counters().datagrams_received.Add(datagrams);
  CountMoved(bytes);
}

}  // namespace socketeer::net
