#include "client/scenario/tree.h"

#include <set>
#include <string>

namespace socketeer::scenario {
namespace {

// An alias stands for all that it names, each time: a small file must not fill the memory.
constexpr size_t kMostNodes = 100'000;
constexpr int kMostDeep = 40;

class Planter {
 public:
  explicit Planter(yaml::Problems* problems) : problems_(*problems) {}

  Value Plant(const YAML::Node& node, int depth) {
    Value value;
    value.at = PlaceOf(node.Mark());
    if (!problems_.first().empty()) return value;
    if (++nodes_ > kMostNodes)
      problems_.Note(node, "with this there are more than 100,000 values, aliases counted each time");
    if (depth > kMostDeep) problems_.Note(node, "this is more than 40 levels deep");
    if (!problems_.first().empty()) return value;
    if (node.IsScalar()) {
      value.type = Value::Type::kWord;
      value.text = node.Scalar();
      value.quoted = node.Tag() == "!";
      if (node.Tag().size() > 1) problems_.Note(node, "the tag " + problems_.Quoted(node.Tag()) + " is not allowed");
    } else if (node.IsSequence()) {
      value.type = Value::Type::kList;
      for (const YAML::Node& each : node) value.items.push_back(Plant(each, depth + 1));
    } else if (node.IsMap()) {
      PlantMap(node, depth, &value);
    }
    return value;
  }

 private:
  static Place PlaceOf(const YAML::Mark& mark) { return {mark.line + 1, mark.column + 1}; }

  void PlantMap(const YAML::Node& node, int depth, Value* value) {
    value->type = Value::Type::kMap;
    std::set<std::string> seen;
    for (const auto& entry : node) {
      Value key = Plant(entry.first, depth + 1);
      if (key.type != Value::Type::kWord) return problems_.Note(entry.first, "a key must be a word");
      if (!seen.insert(key.text).second) {
        return problems_.Note(entry.first, "the key " + problems_.Quoted(key.text) + " is given twice");
      }
      Value inner = Plant(entry.second, depth + 1);
      if (inner.type == Value::Type::kNothing) inner.at = key.at;
      value->fields.emplace_back(std::move(key), std::move(inner));
    }
  }

  yaml::Problems& problems_;
  size_t nodes_ = 0;
};

}  // namespace

Value ToTree(const YAML::Node& root, yaml::Problems* problems) { return Planter(problems).Plant(root, 0); }

}  // namespace socketeer::scenario
