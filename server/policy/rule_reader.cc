#include "server/policy/rule_reader.h"

#include <charconv>
#include <utility>

namespace socketeer::policy {
namespace {

constexpr char kVerbWords[] =
    "all, open, connect, bind, listen, send, receive, option, resolve, raw, observe, end, administer";

class RuleReader {
 public:
  RuleReader(const YAML::Node& node, const Groups& groups, Problems* problems)
      : node_(node),
        fields_(
            node,
            {"name", "allow", "deny", "identities", "families", "protocols", "addresses", "ports", "paths", "names"},
            problems),
        groups_(groups),
        problems_(*problems) {}

  Rule Read(size_t number) {
    rule_.line = Problems::LineOf(node_);
    rule_.name = fields_.Has("name") ? problems_.Word(fields_["name"], "names") : "rule " + std::to_string(number);
    ReadConditions();
    ReadVerbs();
    return std::move(rule_);
  }

 private:
  void ReadConditions() {
    if (!fields_.Has("identities")) Wrong("the key identities is missing: who is it about? Everyone is any");
    rule_.identities = groups_.Identities(fields_["identities"], &problems_);
    ReadNamed("families", "ipv4, ipv6, unix", FamilyNamed, &rule_.families);
    ReadNamed("protocols", "tcp, udp, stream, dgram, seqpacket", ProtocolNamed, &rule_.protocols);
    rule_.addresses = groups_.Addresses(fields_["addresses"], &problems_);
    for (const std::string& word : problems_.Words(fields_["ports"], "ports, as 80 or 1-1023")) ReadPorts(word);
    rule_.paths = problems_.Words(fields_["paths"], "paths, as /run/app/*, /srv/** or \"@name\"");
    for (const std::string& path : rule_.paths) {
      if (!IsRealPath(path)) {
        problems_.Note(fields_["paths"], Quoted(path) +
                                             " is neither an absolute path without \".\", \"..\" and empty "
                                             "parts nor @NAME");
      }
    }
    rule_.names = problems_.Words(fields_["names"], "names of hosts or options");
  }

  template <typename Value>
  void ReadNamed(const char* key, const char* allowed, std::optional<Value> (*named)(std::string_view),
                 std::vector<Value>* values) {
    for (const std::string& word : problems_.Words(fields_[key], allowed)) {
      if (const auto value = named(word)) {
        values->push_back(*value);
      } else {
        problems_.Note(fields_[key], Quoted(word) + " is none of " + allowed);
      }
    }
  }

  void ReadPorts(const std::string& word) {
    PortRange range;
    const char* const end = word.data() + word.size();
    auto parsed = std::from_chars(word.data(), end, range.first);
    range.last = range.first;
    if (parsed.ec == std::errc() && parsed.ptr != end && *parsed.ptr == '-') {
      parsed = std::from_chars(parsed.ptr + 1, end, range.last);
    }
    if (parsed.ec != std::errc() || parsed.ptr != end || range.last < range.first) {
      problems_.Note(fields_["ports"], Quoted(word) + " is no port of 0 to 65535, nor a range as 1-1023");
    }
    rule_.ports.push_back(range);
  }

  void ReadVerbs() {
    if (fields_.Has("allow") == fields_.Has("deny")) return Wrong("must have one of the keys allow and deny");
    rule_.allow = fields_.Has("allow");
    const YAML::Node node = fields_[rule_.allow ? "allow" : "deny"];
    for (const std::string& word : problems_.Words(node, kVerbWords)) {
      if (word == "all") {
        for (int verb = 0; verb < kVerbs; ++verb) {
          if (Unmet(static_cast<Verb>(verb)) == nullptr) rule_.verbs.set(static_cast<size_t>(verb));
        }
      } else if (const auto verb = ReadVerb(node, word, &problems_)) {
        if (const char* const key = Unmet(*verb)) {
          problems_.Note(node, word + " has no " + key + ": give it a rule of its own");
        }
        rule_.verbs.set(static_cast<size_t>(*verb));
      }
    }
    if (rule_.verbs.none()) problems_.Note(node, "no verb has all that the rule states");
  }

  // The condition that cannot be asked of that verb; null: all can.
  const char* Unmet(Verb verb) const {
    const ObjectOf object = ObjectOfVerb(verb);
    const bool address = object == ObjectOf::kAddress;
    const bool socket = address || object == ObjectOf::kSocket;
    if (!socket && !rule_.families.empty()) return "families";
    if (!socket && !rule_.protocols.empty()) return "protocols";
    if (!address && !rule_.addresses.empty()) return "addresses";
    if (!address && !rule_.ports.empty()) return "ports";
    if (!address && !rule_.paths.empty()) return "paths";
    if (object != ObjectOf::kName && !rule_.names.empty()) return "names";
    return nullptr;
  }

  void Wrong(const std::string& what) { problems_.Note(node_, what); }

  const YAML::Node node_;
  const Fields fields_;
  const Groups& groups_;
  Problems& problems_;
  Rule rule_;
};

}  // namespace

Rule ReadRule(const YAML::Node& node, size_t number, const Groups& groups, Problems* problems) {
  return RuleReader(node, groups, problems).Read(number);
}

std::optional<Verb> ReadVerb(const YAML::Node& node, const std::string& word, Problems* problems) {
  const auto verb = VerbNamed(word);
  if (!verb) problems->Note(node, Quoted(word) + " is none of the verbs " + kVerbWords);
  return verb;
}

}  // namespace socketeer::policy
