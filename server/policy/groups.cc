#include "server/policy/groups.h"

#include <initializer_list>
#include <optional>

namespace socketeer::policy {
namespace {

constexpr char kIdentities[] = "identities, as uid:1000, spiffe://lab/*, token:ci, or a group's name";
constexpr char kAddresses[] = "addresses, as 10.0.0.1, 10.0.0.0/8, \"fd00::/8\", or a group's name";

std::vector<IpRange> Ranges(std::initializer_list<const char*> texts) {
  std::vector<IpRange> ranges;
  for (const char* text : texts) ranges.push_back(*IpRange::Parse(text));
  return ranges;
}

// Every identity but "anonymous" has a colon; a group has none.
bool IsIdentity(const std::string& word) { return word.find(':') != word.npos || word == "anonymous"; }

std::optional<IpRange> ReadRange(const YAML::Node& at, const std::string& word, Problems* problems) {
  const auto range = IpRange::Parse(word);
  if (!range) {
    problems->Note(at, Quoted(word) + " is no address, nor a range without bits behind its prefix, nor a group");
  } else if (const Ip inner = range->base.Unwrapped(); inner != range->base) {
    problems->Note(at, Quoted(word) +
                           " would never match: such an address is judged as the IPv4 address within, here " +
                           inner.ToString());
    return std::nullopt;
  }
  return range;
}

}  // namespace

Groups::Groups()
    : identities_({{"any", {"**"}}}),
      addresses_({{"any", Ranges({"0.0.0.0/0", "::/0"})},
                  {"loopback", Ranges({"127.0.0.0/8", "::1"})},
                  {"private", Ranges({"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"})},
                  {"link-local", Ranges({"169.254.0.0/16", "fe80::/10"})},
                  {"metadata", MetadataServices()},
                  {"wildcard", Ranges({"0.0.0.0", "::"})}}) {}

void Groups::ReadIdentities(const YAML::Node& node, Problems* problems) {
  if (!node.IsDefined()) return;
  if (!node.IsMap()) return problems->Note(node, "identities must be a map of groups");
  for (const auto& entry : node) {
    const std::string name = problems->Word(entry.first, "names of groups");
    if (IsIdentity(name)) problems->Note(entry.first, Quoted(name) + " cannot be a group's name: it is an identity");
    const auto [group, added] = identities_.try_emplace(name);
    if (!added) problems->Note(entry.first, "there is a group " + Quoted(name) + " already");
    for (const std::string& word : problems->Words(entry.second, kIdentities)) {
      if (!IsIdentity(word)) problems->Note(entry.second, Quoted(word) + " is no identity: they are as uid:1000");
      group->second.push_back(word);
    }
  }
}

void Groups::ReadAddresses(const YAML::Node& node, Problems* problems) {
  if (!node.IsDefined()) return;
  if (!node.IsMap()) return problems->Note(node, "addresses must be a map of groups");
  for (const auto& entry : node) {
    const std::string name = problems->Word(entry.first, "names of groups");
    const auto [group, added] = addresses_.try_emplace(name);
    if (!added) problems->Note(entry.first, "there is a group " + Quoted(name) + " already");
    for (const std::string& word : problems->Words(entry.second, kAddresses)) {
      if (const auto range = ReadRange(entry.second, word, problems)) group->second.push_back(*range);
    }
  }
}

std::vector<std::string> Groups::Identities(const YAML::Node& node, Problems* problems) const {
  std::vector<std::string> patterns;
  for (const std::string& word : problems->Words(node, kIdentities)) {
    if (const auto group = identities_.find(word); group != identities_.end()) {
      patterns.insert(patterns.end(), group->second.begin(), group->second.end());
    } else if (IsIdentity(word)) {
      patterns.push_back(word);
    } else {
      problems->Note(node, "there is no group " + Quoted(word) + ", and it is no identity");
    }
  }
  return patterns;
}

std::vector<IpRange> Groups::Addresses(const YAML::Node& node, Problems* problems) const {
  std::vector<IpRange> ranges;
  for (const std::string& word : problems->Words(node, kAddresses)) {
    if (const auto group = addresses_.find(word); group != addresses_.end()) {
      ranges.insert(ranges.end(), group->second.begin(), group->second.end());
    } else if (const auto range = ReadRange(node, word, problems)) {
      ranges.push_back(*range);
    }
  }
  return ranges;
}

}  // namespace socketeer::policy
