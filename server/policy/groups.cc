#include "server/policy/groups.h"

#include <initializer_list>
#include <optional>

#include "server/policy/request.h"

namespace socketeer::policy {
namespace {

constexpr char kIdentities[] =
    "identities, as uid:1000, token:ci, dns:ci.example, spiffe://lab/* or anonymous, and groups of them";
constexpr char kAddresses[] = "addresses, as 10.0.0.1, 10.0.0.0/8, \"fd00::/8\", or a group's name";

std::vector<IpRange> Ranges(std::initializer_list<const char*> texts) {
  std::vector<IpRange> ranges;
  for (const char* text : texts) ranges.push_back(*IpRange::Parse(text));
  return ranges;
}

std::optional<IpRange> ReadRange(const Word& word, Problems* problems) {
  static const IpRange mapped = *IpRange::Parse("::ffff:0:0/96");
  const auto range = IpRange::Parse(word.text);
  if (!range) {
    problems->Note(word.line,
                   Quoted(word.text) + " is no address, nor a range without bits behind its prefix, nor a group");
  } else if (mapped.Contains(*range)) {
    problems->Note(word.line,
                   Quoted(word.text) + " would never match: such an address is judged as the IPv4 address that it is");
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
  Read(node, "identities", &identities_, problems, [&](const YAML::Node& members, std::vector<std::string>* group) {
    for (const Word& word : problems->Words(members, kIdentities)) AddIdentity(word, group, problems);
  });
}

void Groups::ReadAddresses(const YAML::Node& node, Problems* problems) {
  Read(node, "addresses", &addresses_, problems, [&](const YAML::Node& members, std::vector<IpRange>* group) {
    for (const Word& word : problems->Words(members, kAddresses)) {
      if (const auto range = ReadRange(word, problems)) group->push_back(*range);
    }
  });
}

template <typename Member, typename ReadMembers>
void Groups::Read(const YAML::Node& node, const char* key, std::map<std::string, std::vector<Member>>* groups,
                  Problems* problems, ReadMembers read_members) {
  if (!node.IsDefined()) return;
  if (!node.IsMap()) return problems->Note(node, std::string(key) + " must be a map of groups");
  for (const auto& entry : node) {
    const std::string name = problems->OneWord(entry.first, "names of groups");
    if (IsIdentity(name, true) || IpRange::Parse(name)) {
      problems->Note(entry.first, Quoted(name) + " cannot be a group's name: it means itself");
    }
    const auto [group, added] = groups->try_emplace(name);
    if (!added) problems->Note(entry.first, "there is a group " + Quoted(name) + " already");
    read_members(entry.second, &group->second);
  }
}

void Groups::AddIdentity(const Word& word, std::vector<std::string>* to, Problems* problems) {
  if (!IsIdentity(word.text, true)) {
    problems->Note(word.line, Quoted(word.text) + " is none of " + kIdentities);
  }
  to->push_back(word.text);
}

std::vector<std::string> Groups::Identities(const YAML::Node& node, Problems* problems) const {
  std::vector<std::string> patterns;
  for (const Word& word : problems->Words(node, kIdentities)) {
    const auto group = identities_.find(word.text);
    if (!problems->Spend(word.line, group == identities_.end() ? 1 : group->second.size())) break;
    if (group == identities_.end()) {
      AddIdentity(word, &patterns, problems);
    } else {
      patterns.insert(patterns.end(), group->second.begin(), group->second.end());
    }
  }
  return patterns;
}

std::vector<IpRange> Groups::Addresses(const YAML::Node& node, Problems* problems) const {
  std::vector<IpRange> ranges;
  for (const Word& word : problems->Words(node, kAddresses)) {
    const auto group = addresses_.find(word.text);
    if (!problems->Spend(word.line, group == addresses_.end() ? 1 : group->second.size())) break;
    if (group != addresses_.end()) {
      ranges.insert(ranges.end(), group->second.begin(), group->second.end());
    } else if (const auto range = ReadRange(word, problems)) {
      ranges.push_back(*range);
    }
  }
  return ranges;
}

}  // namespace socketeer::policy
