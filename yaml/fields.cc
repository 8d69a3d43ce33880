#include "yaml/fields.h"

#include <algorithm>
#include <set>

namespace socketeer::yaml {
namespace {

constexpr size_t kMaxSpent = 100'000;
constexpr size_t kMaxWord = 1'024;

}  // namespace

void Problems::Note(int line, const std::string& what) { Keep(std::to_string(line), what); }

void Problems::Note(const YAML::Mark& at, const std::string& what) {
  const std::string line = std::to_string(at.line + 1);
  Keep(places_ == Places::kLines ? line : line + ":" + std::to_string(at.column + 1), what);
}

void Problems::Keep(const std::string& place, const std::string& what) {
  if (first_.empty()) first_ = file_ + ":" + place + ": " + what;
}

std::string Problems::Quoted(std::string_view text) const {
  constexpr size_t kMost = 100;  // bytes
  return "\"" + show_(text, kMost) + "\"";
}

bool Problems::Spend(int line, size_t count) {
  spent_ += count;
  if (spent_ <= kMaxSpent) return true;
  Note(line, "with this there are more than 100,000 identities and addresses, those of groups counted");
  return false;
}

std::vector<YAML::Node> Problems::List(const YAML::Node& node, std::string_view what, size_t most) {
  if (!node.IsDefined()) return {};
  if (!node.IsSequence()) {
    Note(node, "must be a list of " + std::string(what));
    return {};
  }
  if (node.size() > most) {
    Note(node, "a list of " + std::to_string(node.size()) + "; at most " + std::to_string(most) + " are allowed");
    return {};
  }
  return {node.begin(), node.end()};
}

std::vector<Word> Problems::Words(const YAML::Node& node, std::string_view what) {
  if (!node.IsDefined()) return {};
  if (node.IsScalar()) return {{OneWord(node, what), LineOf(node)}};
  std::vector<Word> words;
  for (const YAML::Node& each : List(node, what)) words.push_back({OneWord(each, what), LineOf(each)});
  if (words.empty()) Note(node, "an empty list; it must be one of " + std::string(what));
  return words;
}

std::string Problems::OneWord(const YAML::Node& node, std::string_view what) {
  if (!node.IsScalar() || node.Scalar().empty()) {
    Note(node, std::string(node.IsScalar() ? "\"\" is empty" : "a list or a map") + "; it must be one of " +
                   std::string(what));
    return "";
  }
  const std::string& word = node.Scalar();
  const bool plain = std::all_of(word.begin(), word.end(), [](char c) { return c >= ' ' && c <= '~'; });
  if (!plain || word.size() > kMaxWord) {
    Note(node, Quoted(word) + " must be at most 1,024 bytes of ASCII, without control characters");
  }
  if (const std::string& tag = node.Tag(); tag.size() > 1) Note(node, "the tag " + Quoted(tag) + " is not allowed");
  return word;
}

Fields::Fields(const YAML::Node& map, std::initializer_list<std::string_view> known, Problems* problems) {
  std::string names;
  for (const std::string_view name : known) {
    if (!names.empty()) names += ", ";
    names += name;
  }
  if (!map.IsMap()) {
    problems->Note(map, "must be a map with some of the keys " + names);
    return;
  }
  map_ = map;
  std::set<std::string> seen;
  for (const auto& entry : map) {
    const std::string key = entry.first.IsScalar() ? entry.first.Scalar() : "";
    const std::string quoted = problems->Quoted(key);
    if (std::find(known.begin(), known.end(), key) == known.end()) {
      problems->Note(entry.first, "unknown key " + quoted + "; known are " + names);
    } else if (!seen.insert(key).second) {
      problems->Note(entry.first, "the key " + quoted + " is given twice");
    } else if (entry.second.IsNull()) {
      problems->Note(entry.first, "the key " + quoted + " has no value");
    }
  }
}

YAML::Node Fields::operator[](const std::string& key) const {
  const YAML::Node& map = map_;  // of a constant node, asking for a key does not add it
  return map.IsMap() ? map[key] : YAML::Node(YAML::NodeType::Undefined);
}

}  // namespace socketeer::yaml
