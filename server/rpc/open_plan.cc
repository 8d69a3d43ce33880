#include "server/rpc/open_plan.h"

#include <sys/socket.h>

#include <algorithm>
#include <utility>

#include "server/rpc/convert.h"

namespace socketeer::rpc {
namespace {

// As Go and nginx do: as much as net.core.somaxconn allows by default.
constexpr int kDefaultBacklog = 4096;

base::Error FamiliesDiffer() {
  return base::InvalidField("bind", "an address of another family than connect", "of the same family");
}

// The address to bind for a socket of `family`; null: there is none of that family.
const net::SocketAddress* BindFor(const Addresses& bind, int family) {
  const auto found =
      std::ranges::find_if(bind.list, [family](const auto& address) { return address.family() == family; });
  return found == bind.list.end() ? nullptr : &*found;
}

}  // namespace

base::Result<int> BacklogOf(std::optional<int32_t> backlog, const std::string& field) {
  if (!backlog) return kDefaultBacklog;
  if (*backlog < 0) return base::InvalidField(field, std::to_string(*backlog), "0 to 2147483647");
  return *backlog;
}

base::Result<OpenRequest> CheckOpen(const v1::OpenSocketRequest& request) {
  OpenRequest checked;
  auto family = FamilyOf(request.family());
  if (!family.ok()) return std::move(family).error();
  checked.family = *family;
  auto type = TypeOf(request.type());
  if (!type.ok()) return std::move(type).error();
  checked.type = *type;
  if (request.protocol() < 0) {
    return base::InvalidField("protocol", std::to_string(request.protocol()), "0 to 2147483647");
  }
  checked.protocol = request.protocol();
  auto options = FromProto(request.options());
  if (!options.ok()) return std::move(options).error();
  checked.options = *std::move(options);
  if (request.has_listen()) {
    const auto& listen = request.listen();
    auto backlog = BacklogOf(listen.has_backlog() ? std::optional(listen.backlog()) : std::nullopt, "listen.backlog");
    if (!backlog.ok()) return std::move(backlog).error();
    checked.backlog = *backlog;
  }
  auto timeout = TimeoutOf(request);
  if (!timeout.ok()) return std::move(timeout).error();
  checked.timeout = *timeout;
  if (checked.family == AF_UNSPEC && !request.has_bind() && !request.has_connect()) {
    return base::InvalidField("family", "left open", "set, when there is no address to follow");
  }
  return checked;
}

base::Result<std::vector<net::OpenPlan>> PlanOpen(const OpenRequest& request, const Addresses& bind,
                                                  const Addresses& connect) {
  net::OpenPlan plan;
  plan.kind = {.family = request.family, .type = request.type, .protocol = request.protocol};
  plan.options = request.options;
  plan.listen_backlog = request.backlog;
  if (connect.list.empty()) {
    if (!bind.list.empty()) {
      plan.bind = bind.list.front();
      if (request.family == AF_UNSPEC) plan.kind.family = plan.bind.family();
      plan.both_families = bind.both_families;
    }
    return std::vector{std::move(plan)};
  }
  std::vector<net::OpenPlan> plans;
  for (const net::SocketAddress& peer : connect.list) {
    net::OpenPlan each = plan;
    if (request.family == AF_UNSPEC) each.kind.family = peer.family();
    each.connect = peer;
    if (bind.both_families) {
      const uint16_t port = bind.list.front().port();
      each.bind = peer.family() == AF_INET ? net::SocketAddress::Any4(port) : net::SocketAddress::Any6(port);
    } else if (!bind.list.empty()) {
      // With the family given, the kernel judges; without it, only a pair of one family makes sense.
      const auto* fitting = request.family == AF_UNSPEC ? BindFor(bind, peer.family()) : &bind.list.front();
      if (fitting == nullptr) continue;
      each.bind = *fitting;
    }
    plans.push_back(std::move(each));
  }
  if (plans.empty()) return FamiliesDiffer();
  return plans;
}

}  // namespace socketeer::rpc
