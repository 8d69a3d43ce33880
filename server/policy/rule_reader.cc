#include "server/policy/rule_reader.h"

#include <algorithm>
#include <charconv>
#include <optional>
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
    rule_.name = fields_.Has("name") ? problems_.OneWord(fields_["name"], "names") : "rule " + std::to_string(number);
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
    for (const Word& word : problems_.Words(fields_["ports"], "ports, as 80 or 1-1023")) ReadPorts(word);
    for (const Word& word : problems_.Words(fields_["paths"], "paths, as /run/app/*, /srv/** or \"@name\"")) {
      ReadPath(word);
    }
    for (const Word& word : problems_.Words(fields_["names"], "names of hosts or options")) {
      if (word.text.find_first_of(" ,") != std::string::npos) Refuse(word, "has a blank or a comma: is it a list?");
      rule_.names.push_back(HostName(word.text));
    }
    CheckKinds();
  }

  template <typename Value>
  void ReadNamed(const char* key, const char* allowed, std::optional<Value> (*named)(std::string_view),
                 std::vector<Value>* values) {
    for (const Word& word : problems_.Words(fields_[key], allowed)) {
      if (const auto value = named(word.text)) {
        values->push_back(*value);
      } else {
        Refuse(word, std::string("is none of ") + allowed);
      }
    }
  }

  void ReadPath(const Word& word) {
    if (!IsRealPath(word.text)) {
      Refuse(word, "is neither an absolute path without \".\", \"..\" and empty parts nor @NAME");
    } else if (word.text.find_first_of(" ,?[]{}") != std::string::npos) {
      Refuse(word, "has one of \" ,?[]{}\", which mean only themselves: patterns have * and **");
    }
    rule_.paths.push_back(word.text);
  }

  void ReadPorts(const Word& word) {
    const size_t dash = word.text.find('-');
    const auto first = Port(word.text.substr(0, dash));
    const auto last = dash == std::string::npos ? first : Port(word.text.substr(dash + 1));
    if (!first || !last || *last < *first) {
      return Refuse(word, "is no port of 0 to 65535, nor a range as 1-1023");
    }
    rule_.ports.push_back({*first, *last});
  }

  static std::optional<uint16_t> Port(const std::string& text) {
    uint16_t port = 0;
    const char* const end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data(), end, port);
    const bool zeros = text.size() > 1 && text[0] == '0';  // some would read 010 as 8
    if (parsed.ec != std::errc() || parsed.ptr != end || zeros) return std::nullopt;
    return port;
  }

  // A rule that could never match would be taken for one that guards something.
  void CheckKinds() {
    const bool about_ip = !rule_.addresses.empty() || !rule_.ports.empty();
    const auto has = [](const auto& list, auto... values) {
      return list.empty() || ((std::find(list.begin(), list.end(), values) != list.end()) || ...);
    };
    const bool ip =
        has(rule_.families, Family::kIpv4, Family::kIpv6) && has(rule_.protocols, Protocol::kTcp, Protocol::kUdp);
    const bool local = has(rule_.families, Family::kUnix) &&
                       has(rule_.protocols, Protocol::kStream, Protocol::kDgram, Protocol::kSeqpacket);
    if (!ip && !local) Wrong("no socket is of such a family and such a protocol");
    if (!ip && about_ip) Wrong("no IP socket is of such a family or protocol, so addresses and ports never match");
    if (!local && !rule_.paths.empty()) Wrong("no UNIX socket is of such a family or protocol, so paths never match");
    const bool some = std::any_of(rule_.addresses.begin(), rule_.addresses.end(), [&](const IpRange& range) {
      return has(rule_.families, range.base.is_v4() ? Family::kIpv4 : Family::kIpv6);
    });
    if (!rule_.addresses.empty() && !some) Wrong("the addresses are of no such family");
  }

  void ReadVerbs() {
    if (fields_.Has("allow") == fields_.Has("deny")) return Wrong("must have exactly one of the keys allow and deny");
    rule_.allow = fields_.Has("allow");
    const YAML::Node node = fields_[rule_.allow ? "allow" : "deny"];
    for (const Word& word : problems_.Words(node, kVerbWords)) {
      if (word.text == "all") {
        for (int verb = 0; verb < kVerbs; ++verb) {
          if (Unmet(static_cast<Verb>(verb)) == nullptr) rule_.verbs.set(static_cast<size_t>(verb));
        }
      } else if (const auto verb = VerbNamed(word.text)) {
        if (const char* const key = Unmet(*verb)) {
          problems_.Note(word.line, word.text + " has no " + key + ": give it a rule of its own");
        } else if (NeverAt(*verb)) {
          problems_.Note(word.line, word.text + " to 0.0.0.0 or :: reaches this host, and is judged so: say loopback");
        }
        rule_.verbs.set(static_cast<size_t>(*verb));
      } else {
        Refuse(word, std::string("is none of the verbs ") + kVerbWords);
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

  // Are the addresses only those that this verb never has?
  bool NeverAt(Verb verb) const {
    return (verb == Verb::kConnect || verb == Verb::kSend) && !rule_.addresses.empty() &&
           std::all_of(rule_.addresses.begin(), rule_.addresses.end(),
                       [](const IpRange& range) { return range.base.IsWildcard() && range.bits == range.base.bits(); });
  }

  void Refuse(const Word& word, const std::string& why) { problems_.Note(word.line, Quoted(word.text) + " " + why); }
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

}  // namespace socketeer::policy
