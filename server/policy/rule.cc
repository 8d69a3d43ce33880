#include "server/policy/rule.h"

#include <algorithm>
#include <array>

#include "server/policy/glob.h"

namespace socketeer::policy {
namespace {

// Above these a kernel chooses ports for who names none.
constexpr uint16_t kLastPrivilegedPort = 1'023;

template <typename T>
bool Among(const std::vector<T>& allowed, const std::optional<T>& value) {
  return allowed.empty() || (value && std::find(allowed.begin(), allowed.end(), *value) != allowed.end());
}

bool MatchesAny(const std::vector<std::string>& patterns, const std::string& text) {
  return std::any_of(patterns.begin(), patterns.end(), [&](const std::string& each) { return Matches(each, text); });
}

bool Sends(const Request& request) { return request.verb == Verb::kConnect || request.verb == Verb::kSend; }

// Who sends to 0.0.0.0 reaches this host.
Ip Reached(const Ip& ip) {
  static const Ip loopback4 = *Ip::Parse("127.0.0.1"), loopback6 = *Ip::Parse("::1");
  if (!ip.IsWildcard()) return ip;
  return ip.is_v4() ? loopback4 : loopback6;
}

// All that the request is about.
std::vector<Ip> Judged(const Request& request) {
  static const Ip every4 = *Ip::Parse("0.0.0.0");
  std::vector<Ip> judged = {request.ip->Unmapped()};
  if (Sends(request)) judged[0] = Reached(judged[0]);
  const bool both = judged[0].IsWildcard() && !judged[0].is_v4() && !request.v6only;
  if (both) judged.push_back(every4);
  if (const auto inner = judged[0].Embedded()) judged.push_back(Sends(request) ? Reached(*inner) : *inner);
  return judged;
}

bool Allows(const IpRange& range, const Ip& ip) {
  if (ip.IsWildcard()) return range.base == ip && (range.bits == 0 || range.bits == ip.bits());
  const IpRange* const sensitive = SensitiveRangeOf(ip);
  return range.Contains(ip) && (sensitive == nullptr || sensitive->Contains(range));
}

// A wildcard is every address, so one that is denied is among them.
bool Denies(const IpRange& range, const Ip& ip) {
  return ip.IsWildcard() ? range.base.is_v4() == ip.is_v4() : range.Contains(ip);
}

bool MatchesIp(const Rule& rule, const Ip& ip) {
  if (!Among(rule.families, std::optional(ip.is_v4() ? Family::kIpv4 : Family::kIpv6))) return false;
  if (rule.addresses.empty()) return !rule.allow || ip.IsWildcard() || SensitiveRangeOf(ip) == nullptr;
  return std::any_of(rule.addresses.begin(), rule.addresses.end(),
                     [&](const IpRange& range) { return rule.allow ? Allows(range, ip) : Denies(range, ip); });
}

bool MatchesPort(const Rule& rule, const Request& request) {
  // The kernel may choose one that is denied.
  const bool chosen = request.verb == Verb::kBind && request.port == 0 && !rule.allow;
  return rule.ports.empty() || std::any_of(rule.ports.begin(), rule.ports.end(), [&](const PortRange& range) {
           return range.Contains(request.port) || (chosen && range.last > kLastPrivilegedPort);
         });
}

bool MatchesAddress(const Rule& rule, const Request& request) {
  const bool about_ip = !rule.addresses.empty() || !rule.ports.empty();
  if (!request.ip) {
    if (!IsRealPath(request.path)) return !rule.allow;
    return Among(rule.families, std::optional(Family::kUnix)) &&
           (rule.paths.empty() ? !about_ip : MatchesAny(rule.paths, request.path));
  }
  if ((!about_ip && !rule.paths.empty()) || !MatchesPort(rule, request)) return false;
  const std::vector<Ip> judged = Judged(request);
  const auto matches = [&](const Ip& ip) { return MatchesIp(rule, ip); };
  return rule.allow ? std::all_of(judged.begin(), judged.end(), matches)
                    : std::any_of(judged.begin(), judged.end(), matches);
}

bool MatchesName(const Rule& rule, const Request& request) {
  if (request.verb == Verb::kResolve) return rule.names.empty() || MatchesAny(rule.names, HostName(request.name));
  if (rule.names.empty()) return !rule.allow || (request.verb != Verb::kRaw && !Reroutes(request.name));
  if (!rule.allow || !Reroutes(request.name)) return MatchesAny(rule.names, request.name);
  return std::find(rule.names.begin(), rule.names.end(), request.name) != rule.names.end();
}

}  // namespace

bool Rule::Matches(const Request& request) const {
  if (!verbs[static_cast<size_t>(request.verb)] || !MatchesAny(identities, request.identity)) return false;
  switch (ObjectOfVerb(request.verb)) {
    case ObjectOf::kSocket:
      return Among(protocols, request.protocol) && Among(families, request.family);
    case ObjectOf::kAddress:
      return Among(protocols, request.protocol) && MatchesAddress(*this, request);
    case ObjectOf::kName:
      return MatchesName(*this, request);
    case ObjectOf::kNothing:
      break;
  }
  return true;
}

bool Reroutes(std::string_view option) {
  // socket(7), ip(7), ipv6(7), tcp(7).
  static constexpr std::array<std::string_view, 22> kNames = {"bindtodevice",
                                                              "bindtoifindex",
                                                              "mark",
                                                              "netns_cookie",
                                                              "priority",
                                                              "ip_options",
                                                              "options",
                                                              "pktinfo",
                                                              "transparent",
                                                              "freebind",
                                                              "hdrincl",
                                                              "router_alert",
                                                              "rthdr",
                                                              "add_membership",
                                                              "join_group",
                                                              "add_source_membership",
                                                              "unicast_if",
                                                              "multicast_if",
                                                              "repair",
                                                              "fastopen",
                                                              "fastopen_connect",
                                                              "bind_address_no_port"};
  return std::find(kNames.begin(), kNames.end(), option) != kNames.end();
}

std::string HostName(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  std::string lower(name);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return lower;
}

}  // namespace socketeer::policy
