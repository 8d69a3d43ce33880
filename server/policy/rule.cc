#include "server/policy/rule.h"

#include <algorithm>

#include "server/policy/glob.h"

namespace socketeer::policy {
namespace {

template <typename T>
bool Among(const std::vector<T>& allowed, const std::optional<T>& value) {
  return allowed.empty() || (value && std::find(allowed.begin(), allowed.end(), *value) != allowed.end());
}

bool MatchesAny(const std::vector<std::string>& patterns, const std::string& text) {
  return std::any_of(patterns.begin(), patterns.end(), [&](const std::string& each) { return Matches(each, text); });
}

// What the verb is done to: who sends to 0.0.0.0 reaches this host, who binds it gets all addresses.
Ip Judged(const Request& request) {
  const bool sends = request.verb == Verb::kConnect || request.verb == Verb::kSend;
  return sends ? request.ip->Destination() : request.ip->Unwrapped();
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

bool MatchesIp(const Rule& rule, const Request& request, const Ip& ip) {
  const auto& ranges = rule.addresses;
  // "Any port" is of a rule that says nothing of ports; "any address" is still none of the sensitive ones.
  const bool address = ranges.empty() ? !rule.allow || ip.IsWildcard() || SensitiveRangeOf(ip) == nullptr
                                      : std::any_of(ranges.begin(), ranges.end(), [&](const IpRange& range) {
                                          return rule.allow ? Allows(range, ip) : Denies(range, ip);
                                        });
  return address &&
         (rule.ports.empty() || std::any_of(rule.ports.begin(), rule.ports.end(),
                                            [&](const PortRange& range) { return range.Contains(request.port); }));
}

bool MatchesAddress(const Rule& rule, const Request& request) {
  const bool about_ip = !rule.addresses.empty() || !rule.ports.empty();
  if (!request.ip) {
    if (!IsRealPath(request.path)) return !rule.allow;
    return Among(rule.families, std::optional(Family::kUnix)) &&
           (rule.paths.empty() ? !about_ip : MatchesAny(rule.paths, request.path));
  }
  if (!about_ip && !rule.paths.empty()) return false;
  const Ip ip = Judged(request);
  return Among(rule.families, std::optional(ip.is_v4() ? Family::kIpv4 : Family::kIpv6)) &&
         MatchesIp(rule, request, ip);
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
      return names.empty() || MatchesAny(names, request.name);
    case ObjectOf::kNothing:
      break;
  }
  return true;
}

}  // namespace socketeer::policy
