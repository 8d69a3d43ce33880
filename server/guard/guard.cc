#include "server/guard/guard.h"

#include <sys/socket.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "server/base/fd.h"
#include "server/base/printable.h"
#include "server/guard/demand.h"
#include "server/net/errno_table.h"

namespace socketeer::guard {
namespace {

using net::SocketAddress;

// As policies do: one that is only another form of an IPv4 address is that.
std::optional<policy::Ip> IpOf(const SocketAddress& address) {
  const auto ip = policy::Ip::Parse(address.ip());
  if (!ip) return std::nullopt;
  return ip->Unmapped();
}

bool IsLoopback(const policy::Ip& ip) {
  static const policy::IpRange v4 = *policy::IpRange::Parse("127.0.0.0/8"), v6 = *policy::IpRange::Parse("::1/128");
  return v4.Contains(ip) || v6.Contains(ip);
}

// Is it an address of this host, also one that no interface has but a route says so? Only to such a socket can be
// bound. Yes, too, when nobody knows.
bool IsOfThisHost(const policy::Ip& ip) {
  if (IsLoopback(ip) || ip.IsWildcard()) return true;
  const auto address = SocketAddress::Inet(ip.ToString(), 0, "");
  if (!address.ok()) return true;
  const base::Fd probe(socket(address->family(), SOCK_DGRAM | SOCK_CLOEXEC, 0));
  return probe.get() < 0 || bind(probe.get(), address->data(), address->size()) == 0 || errno != EADDRNOTAVAIL;
}

// Does what is sent to `ip` arrive at a socket bound to `control`?
bool Reaches(const policy::Ip& ip, const policy::Ip& control) {
  if (control.IsWildcard()) return IsOfThisHost(ip);
  // 0.0.0.0 and :: lead to the sender's own address, which may be any of this host's.
  return ip == control || (ip.IsWildcard() && (!ip.is_v4() || control.is_v4()));
}

// The question in the caller's own words: where a path's links lead is not for him to know.
std::string GivenTo(const std::string& identity, const net::Demand& demand) {
  policy::Request request = RequestOf(identity, demand);
  if (demand.place != nullptr && demand.place->address.IsUnixPath()) request.path = demand.place->address.unix_name();
  return base::Printable(request.ToString());
}

}  // namespace

void Guard::Enforce(PolicyPtr policy) {
  std::lock_guard lock(mutex_);
  policy_ = std::move(policy);
  terms_.fetch_add(1, std::memory_order_release);
}

base::Status Guard::KeepOff(const SocketAddress& control) { return Keep({.address = control}); }

base::Status Guard::KeepDatagramsOff(const SocketAddress& supervisor) {
  auto status = Keep({.address = supervisor, .takes_datagrams = true});
  // Without a policy too, each datagram is judged from now on.
  if (status.ok()) terms_.fetch_add(1, std::memory_order_release);
  return status;
}

base::Status Guard::Keep(Control own) {
  struct stat found {};
  if (own.address.IsUnixPath()) {
    const int missing = stat(own.address.unix_name().c_str(), &found) < 0 ? errno : 0;
    if (missing != 0 && missing != ENOENT && missing != ENOTDIR) return net::KernelError("open", "stat", missing);
    // What is not there, or not for this process, nobody reaches by a path: its inode stays 0.
    own.device = found.st_dev;
    own.inode = found.st_ino;
  }
  controls_.push_back(std::move(own));
  return base::Ok();
}

bool Guard::IsControl(const net::Place& place, bool takes_datagrams) const {
  return std::any_of(controls_.begin(), controls_.end(), [&](const Control& own) {
    if (own.takes_datagrams != takes_datagrams) return false;
    if (own.address.IsUnixAbstract()) return own.address == place.address;
    if (own.address.family() == AF_UNIX)
      return own.device == place.device && own.inode == place.inode && own.inode != 0;
    if (own.address.port() != place.address.port()) return false;
    const auto ip = IpOf(place.address), control = IpOf(own.address);
    if (!ip || !control) return false;
    const auto inner = ip->Embedded();
    return Reaches(*ip, *control) || (inner && Reaches(*inner, *control));
  });
}

base::Status Guard::Judge(const std::string& identity, const net::Demand& demand) {
  const bool reaches = demand.act == net::Act::kConnect || demand.act == net::Act::kSend;
  if (reaches && demand.place != nullptr && IsControl(*demand.place, !demand.kind.IsConnectionOriented())) {
    decisions_.control_denied.Add();
    return base::ControlSocketDenied(GivenTo(identity, demand));
  }
  if (terms() == 0) return base::Ok();
  const policy::Request request = RequestOf(identity, demand);
  return Decide(request, [&] { return GivenTo(identity, demand); });
}

base::Status Guard::JudgeName(const std::string& identity, const std::string& host) {
  if (terms() == 0) return base::Ok();
  const policy::Request request{.identity = identity, .verb = policy::Verb::kResolve, .name = host};
  return Decide(request, [&] { return base::Printable(request.ToString()); });
}

base::Status Guard::JudgeToObserve(const std::string& identity) {
  if (terms() == 0) return base::Ok();
  const policy::Request request{.identity = identity, .verb = policy::Verb::kObserve};
  return Decide(request, [&] { return request.ToString(); });
}

base::Status Guard::Decide(const policy::Request& request, const std::function<std::string()>& given) {
  PolicyPtr policy;
  {
    std::lock_guard lock(mutex_);
    policy = policy_;
  }
  if (policy == nullptr) return base::Ok();
  const policy::Decision decision = policy->Decide(request);
  if (decision.allowed) {
    decisions_.allowed.Add();
    return base::Ok();
  }
  const std::string rule = decision.rule == nullptr ? "no rule matches" : decision.rule->name;
  const bool shadow = policy->mode == policy::Mode::kShadow;
  (shadow ? decisions_.shadow_denied : decisions_.denied).Add();
  if (shadow) {
    tell_({.identity = request.identity, .request = base::Printable(request.ToString()), .rule = rule});
    return base::Ok();
  }
  return base::PolicyDenied(given(), rule);
}

}  // namespace socketeer::guard
