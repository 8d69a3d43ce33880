// What a socket asks before it reaches for something, and what it remembers of the answers.
#include <netinet/in.h>
#include <poll.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "server/net/errno_table.h"
#include "server/net/socket.h"

namespace socketeer::net {
namespace {

SocketAddress WildcardOf(const SocketKind& kind) {
  return kind.family == AF_INET ? SocketAddress::Any4(0) : SocketAddress::Any6(0);
}

}  // namespace

Socket::Permits& Socket::permits() {
  if (!permits_) permits_ = std::make_unique<Permits>();
  return *permits_;
}

// What one was allowed says nothing of another: a grantee must not pass by the owner's permit, nor the owner by his.
bool Socket::IsAllowed(const Permits::Allowed& last, uint64_t terms, Act act, const SocketAddress& address) const {
  const bool his = actor_ == nullptr ? last.by.empty() : last.by == actor_->identity;
  return his && last.terms == terms && last.act == act && last.address == address;
}

Socket::Permits::Allowed Socket::Allow(uint64_t terms, Act act, const SocketAddress& address) const {
  return {.terms = terms, .by = actor_ == nullptr ? "" : actor_->identity, .act = act, .address = address};
}

base::Status Socket::Ask(Act act, const Place& place) {
  if (permits_ && permits_->barred) return *permits_->barred;
  auto status = observer_->Permit({.act = act, .kind = info_.kind, .place = &place, .by = By()});
  if (status.ok()) return status;
  base::Error error = Describe(std::move(status).error(), VerbOf(act));
  (act == Act::kConnect || act == Act::kSend ? error.peer : error.local) = place.address.bytes();
  return error;
}

base::Error Socket::NoWayTo(const SocketAddress& address, Act act, const NoWay& why) {
  constexpr Call kCallOf[] = {Call::kConnect, Call::kConnect, Call::kBind, Call::kListen, Call::kSendTo};
  constexpr const char* kMakerOf[] = {"", "connect", "bind", "", "sendmsg"};
  const auto at = static_cast<size_t>(act);
  // What is not there is nobody's business either: whether it is there only he is told who may go there.
  const Place given{.address = address, .path = address.unix_name()};
  if (IsJudged()) {
    if (auto status = Ask(act, given); !status.ok()) return std::move(status).error();
  }
  base::Error error = Fault(kCallOf[at], why.IsOfThePath() ? kMakerOf[at] : why.system_call, why.number);
  (act == Act::kBind ? error.local : error.peer) = address.bytes();
  return error;
}

base::Result<std::optional<Target>> Socket::AskToReach(Act act, const SocketAddress& address, bool follow) {
  // Another family's socket, or an address that is too long: the kernel refuses, and does not look at the path.
  const bool is_path = address.IsUnixPath() && info_.kind.family == AF_UNIX && address.size() <= sizeof(sockaddr_un);
  if (!follow || !is_path) {
    if (auto status = Ask(act, {.address = Reached(address)}); !status.ok()) return std::move(status).error();
    return std::optional<Target>();
  }
  auto followed = Target::Follow(syscalls(), address);
  if (const auto* const why = std::get_if<NoWay>(&followed)) return NoWayTo(address, act, *why);
  auto& target = std::get<Target>(followed);
  if (auto status = Ask(act, target.place()); !status.ok()) return std::move(status).error();
  return std::optional(std::move(target));
}

base::Result<std::optional<Target>> Socket::PermitConnect(const SocketAddress& peer) {
  // To dissolve a connection reaches nobody.
  if (peer.family() == AF_UNSPEC) return std::optional<Target>();
  return AskToReach(Act::kConnect, peer, IsJudged() || info_.kind.IsConnectionOriented());
}

base::Result<std::optional<Target>> Socket::PermitSend(const SocketAddress& destination) {
  const uint64_t terms = observer_->terms();
  if (terms == 0) return std::optional<Target>();
  if (destination.empty()) {
    if (auto status = PermitHere(Act::kSend); !status.ok()) return std::move(status).error();
    return std::optional<Target>();
  }
  // Where a path leads may change at any time.
  if (destination.IsUnixPath()) return AskToReach(Act::kSend, destination, true);
  Permits& known = permits();
  Permits::Allowed& last = known.out;
  if (IsAllowed(last, terms, Act::kSend, destination)) return std::optional<Target>();
  if (info_.kind.IsInet() && !known.bind_asked && !known.led_to) {
    if (auto status = PermitImplicitBind(); !status.ok()) return std::move(status).error();
  }
  if (auto status = Ask(Act::kSend, {.address = Reached(destination)}); !status.ok()) return std::move(status).error();
  last = Allow(terms, Act::kSend, destination);
  return std::optional<Target>();
}

SocketAddress Socket::Reached(const SocketAddress& address) const {
  if (!address.IsWildcard() || !info_.local.IsInet() || info_.local.IsWildcard()) return address;
  auto reached = SocketAddress::Inet(info_.local.ip(), address.port(), info_.local.scope());
  return reached.ok() ? *std::move(reached) : address;
}

base::Status Socket::PermitHere(Act act) {
  const uint64_t terms = observer_->terms();  // before the answer: which is of these terms, or of later ones
  if (terms == 0) return base::Ok();
  Permits& known = permits();
  if (act == Act::kReceive && !known.earlier.empty()) {
    if (auto status = PermitEarlier(); !status.ok()) return status;
  }
  // Nothing comes to a socket without a name, and the kernel sends nothing from one without a peer.
  if (info_.state == State::kCreated) return base::Ok();
  const bool leads = known.led_to.has_value();
  if (act == Act::kSend && !leads && !info_.kind.IsConnectionOriented()) return base::Ok();
  const SocketAddress& address = leads ? known.led_to->address : info_.local;
  Permits::Allowed& last = act == Act::kSend ? known.out : known.in;
  if (IsAllowed(last, terms, act, address) && !known.barred) return base::Ok();
  const Place place = leads ? *known.led_to : known.bound ? *known.bound : Place{.address = address};
  if (auto status = Ask(act, place); !status.ok()) return status;
  last = Allow(terms, act, address);
  return base::Ok();
}

base::Status Socket::PermitEarlier() {
  pollfd waits{.fd = fd_, .events = POLLIN, .revents = 0};
  const bool kept = kept_ && kept_->datagrams && kept_->datagrams->size() > 0;
  if (!kept && syscalls().Poll(&waits, 1, 0) == 0) {
    permits_->earlier.clear();
    return base::Ok();
  }
  for (const Place& place : permits_->earlier) {
    if (auto status = Ask(Act::kReceive, place); !status.ok()) return status;
  }
  return base::Ok();
}

void Socket::NoteEarlier() {
  constexpr size_t kMost = 16;
  std::vector<Place>& earlier = permits_->earlier;
  if (info_.kind.IsConnectionOriented() || (!permits_->led_to && info_.state == State::kCreated)) return;
  Place place = permits_->led_to  ? *permits_->led_to
                : permits_->bound ? *permits_->bound
                                  : Place{.address = info_.local};
  const auto same = [&](const Place& each) { return each.address == place.address && each.path == place.path; };
  if (std::any_of(earlier.begin(), earlier.end(), same)) return;
  // Who connects again and again without receiving: from then on only who may receive from everywhere.
  if (earlier.size() == kMost) place = {.address = WildcardOf(info_.kind)};
  if (earlier.size() <= kMost) earlier.push_back(std::move(place));
}

void Socket::NoteLedTo(const Place& place) {
  if (!IsJudged()) return;
  permits();
  NoteEarlier();
  permits_->led_to = place;
  permits_->out = permits_->in = {};
}

void Socket::NoteLedNowhere() {
  if (!permits_) return;
  NoteEarlier();
  permits_->led_to.reset();
  permits_->out = permits_->in = {};
}

base::Status Socket::PermitBind(const SocketAddress& address, std::optional<NewPath>* path) {
  if (!IsJudged()) return base::Ok();
  if (!address.IsUnixPath()) return Ask(Act::kBind, {.address = address});
  auto followed = NewPath::Follow(syscalls(), address);
  if (const auto* const why = std::get_if<NoWay>(&followed)) return NoWayTo(address, Act::kBind, *why);
  *path = std::get<NewPath>(std::move(followed));
  return Ask(Act::kBind, (*path)->place());
}

base::Status Socket::NoteBoundTo(const std::optional<NewPath>& path) {
  if (IsJudged()) permits().bind_asked = true;
  if (!path) return base::Ok();
  permits().bound = std::make_shared<Place>(path->place());
  if (path->Made(syscalls())) {
    path_ = std::make_unique<SocketPath>(path->ToRemove(syscalls()));
    return base::Ok();
  }
  permits().out = {};
  permits().barred = Describe(base::PathChanged(path->place().path), "bind");
  return *permits().barred;
}

// Whose connection was dissolved keeps the address that it was bound to, and gets a port there.
SocketAddress Socket::ImplicitAddress() const {
  return info_.local.IsInet() ? info_.local.WithoutPort() : WildcardOf(info_.kind);
}

base::Status Socket::PermitImplicitBind() { return Ask(Act::kBind, {.address = ImplicitAddress()}); }

base::Status Socket::PermitListen() {
  if (!IsJudged()) return base::Ok();
  const bool unbound = info_.kind.IsInet() && info_.state == State::kCreated;
  if (!unbound) return PermitHere(Act::kListen);
  if (auto status = PermitImplicitBind(); !status.ok()) return status;
  return Ask(Act::kListen, {.address = ImplicitAddress()});
}

base::Status Socket::PermitOption(const OptionRow& row) {
  if (!IsJudged()) return base::Ok();
  auto status = observer_->Permit({.act = Act::kSetOption, .kind = info_.kind, .option = row.name, .by = By()});
  if (status.ok()) return status;
  return Describe(std::move(status).error(), "setsockopt");
}

}  // namespace socketeer::net
