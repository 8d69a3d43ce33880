// A scenario's file: everything but its steps.
#include <algorithm>
#include <filesystem>
#include <set>

#include "absl/strings/str_cat.h"
#include "client/scenario/known.h"
#include "client/scenario/model.h"
#include "client/scenario/steps_reader.h"
#include "client/scenario/tree.h"
#include "client/scenario/variables.h"
#include "client/scenario/words.h"
#include "socketeer/names.h"
#include "socketeer/text.h"
#include "yaml/text.h"

namespace socketeer::scenario {
namespace {

constexpr size_t kMostHosts = 100;

class Reader {
 public:
  Reader(std::string file, const std::map<std::string, std::string>& given, Mistakes* mistakes)
      : given_(given), mistakes_(*mistakes), known_(mistakes) {
    scenario_.file = std::move(file);
  }

  Scenario Read(const Value& root) {
    if (!CheckKeys(root, "a scenario",
                   {"name", "about", "tags", "hosts", "variables", "matrix", "limit", "lease", "steps", "cleanup"},
                   &mistakes_)) {
      return {};
    }
    for (const char* const key : {"name", "steps"}) {
      if (root.Find(key) == nullptr) mistakes_.Note(root.at, std::string("the key ") + key + " is missing");
    }
    if (mistakes_.first().has_value()) return {};
    scenario_.name = Text(*root.Find("name"), "name");
    if (const Value* const about = root.Find("about")) scenario_.about = Text(*about, "about");
    if (const Value* const tags = root.Find("tags")) ReadTags(*tags);
    known_.Add("run");
    if (const Value* const variables = root.Find("variables")) ReadVariables(*variables);
    ReadSteps(root);
    return std::move(scenario_);
  }

 private:
  std::string Text(const Value& value, const std::string& key) {
    if (value.type != Value::Type::kWord || value.text.empty()) {
      mistakes_.Note(value.at,
                     key + " must be text, not " + (value.type == Value::Type::kWord ? "nothing" : KindOf(value)));
    }
    return value.text;
  }

  void ReadTags(const Value& tags) {
    if (tags.type != Value::Type::kList)
      return mistakes_.Note(tags.at, std::string("tags must be a list of words, not ") + KindOf(tags));
    for (const Value& tag : tags.items) {
      const std::string word = Text(tag, "a tag");
      if (!CheckLabelKey(word).ok())
        mistakes_.Note(tag.at, "a tag is of a-z, 0-9, . _ / and -, and " + Quoted(word) + " is none");
      scenario_.tags.push_back(word);
    }
  }

  // In an order in which each needs only those before it.
  void ReadVariables(const Value& map) {
    if (map.type != Value::Type::kMap)
      return mistakes_.Note(map.at, std::string("variables must be a map, not ") + KindOf(map));
    variables_ = &map;
    for (const auto& [name, value] : map.fields) Define(name, value, {});
  }

  void Define(const Value& name, const Value& value, std::vector<std::string> through) {
    if (known_.names().contains(name.text)) {
      if (name.text == "run") mistakes_.Note(name.at, "the variable run is there already: the run's own word");
      return;
    }
    if (!IsVariableName(name.text))
      return mistakes_.Note(name.at, Quoted(name.text) + " is no variable's name: letters, digits, _ and -");
    if (value.type != Value::Type::kWord)
      return mistakes_.Note(value.at, name.text + " must be a word, not " + KindOf(value));
    through.push_back(name.text);
    const absl::Status status = ForEachVariable(value.text, [&](std::string_view used) {
      if (std::find(through.begin(), through.end(), used) != through.end()) {
        through.emplace_back(used);
        return mistakes_.Note(value.at, "a cycle: " + Chain(through));
      }
      for (const auto& [other, its_value] : variables_->fields) {
        if (other.text == used && !mistakes_.first().has_value()) Define(other, its_value, through);
      }
    });
    if (!status.ok()) return mistakes_.Note(value.at, std::string(status.message()));
    const auto given = given_.find(name.text);
    if (given == given_.end()) known_.Check(value);
    known_.Add(name.text);
    Value taken = value;
    if (given != given_.end()) taken.text = Escaped(given->second);
    scenario_.variables.emplace_back(name.text, std::move(taken));
  }

  static std::string Chain(const std::vector<std::string>& names) {
    std::string chain;
    for (const std::string& name : names) chain += (chain.empty() ? "" : " needs ") + name;
    return chain;
  }

  // Text that stands for itself.
  static std::string Escaped(const std::string& text) {
    std::string escaped;
    for (const char c : text) escaped += c == '$' ? "$$" : std::string(1, c);
    return escaped;
  }

  void ReadHosts(const Value& hosts) {
    if (hosts.type == Value::Type::kList) {
      for (const Value& each : hosts.items) AddHost(each, each);
    } else if (hosts.type == Value::Type::kMap) {
      for (const auto& [name, target] : hosts.fields) AddHost(name, target);
    } else {
      mistakes_.Note(hosts.at,
                     std::string("hosts must be a list of names, or a map {name: where}, not ") + KindOf(hosts));
    }
    if (scenario_.hosts.size() > kMostHosts)
      mistakes_.Note(hosts.at, absl::StrCat(scenario_.hosts.size(), " hosts; at most 100 are allowed"));
  }

  void AddHost(const Value& name, const Value& target) {
    if (target.type != Value::Type::kWord || target.text.empty()) {
      return mistakes_.Note(target.at, "where a host is must be a word, as --host has it");
    }
    known_.Check(target);
    if (absl::Status status = CheckHostName(name.text); !status.ok()) {
      return mistakes_.Note(name.at, "hosts: " + std::string(status.message()));
    }
    for (const Participant& other : scenario_.hosts) {
      if (other.name == name.text) mistakes_.Note(name.at, "the host " + Quoted(name.text) + " is given twice");
    }
    scenario_.hosts.push_back({.name = name.text, .target = target});
  }

  void ReadSteps(const Value& root) {
    if (mistakes_.first().has_value()) return;
    StepsReader matrix_reader({}, "", absl::Seconds(1), &known_, &mistakes_);
    if (const Value* const matrix = root.Find("matrix")) scenario_.matrix = matrix_reader.ReadMatrix(*matrix, "matrix");
    for (const auto& [name, values] : scenario_.matrix) {
      if (given_.contains(name))
        mistakes_.Note(values[0].at, "the variable " + Quoted(name) + " of the matrix cannot be set");
      known_.Add(name);
    }
    if (const Value* const limit = root.Find("limit"))
      scenario_.limit = matrix_reader.ReadLimit(*limit, "limit", absl::Milliseconds(1));
    if (const Value* const lease = root.Find("lease"))
      scenario_.lease = matrix_reader.ReadLimit(*lease, "lease", absl::Seconds(1));
    if (const Value* const hosts = root.Find("hosts")) ReadHosts(*hosts);
    std::vector<std::string> names;
    for (const Participant& host : scenario_.hosts) names.push_back(host.name);
    const std::string folder = std::filesystem::path(scenario_.file).parent_path().string();
    StepsReader reader(std::move(names), folder, scenario_.limit, &known_, &mistakes_);
    scenario_.steps = reader.Read(*root.Find("steps"), "steps");
    if (const Value* const cleanup = root.Find("cleanup")) scenario_.cleanup = reader.Read(*cleanup, "cleanup");
  }

  const std::map<std::string, std::string>& given_;
  Mistakes& mistakes_;
  Known known_;
  const Value* variables_ = nullptr;
  Scenario scenario_;
};

}  // namespace

absl::StatusOr<Scenario> ReadScenario(const std::string& text, const std::string& file,
                                      const std::map<std::string, std::string>& given) {
  constexpr yaml::Show kShow = [](std::string_view bytes, size_t most) { return Printable(bytes, most); };
  yaml::Problems problems(Printable(file), kShow, yaml::Places::kColumns);
  Scenario scenario;
  const auto read = [&](const YAML::Node& root, yaml::Problems* found) {
    const Value tree = ToTree(root, found);
    if (!found->first().empty()) return;
    Mistakes mistakes;
    scenario = Reader(file, given, &mistakes).Read(tree);
    if (!mistakes.first().has_value()) return;
    const Place at = mistakes.first()->at;
    YAML::Mark mark;
    mark.line = at.line - 1;
    mark.column = at.column - 1;
    found->Note(mark, mistakes.first()->what);
  };
  yaml::ReadDocument(text, "the file is empty: a scenario has a name and steps", read, &problems);
  if (!problems.first().empty()) return absl::InvalidArgumentError(problems.first());
  return scenario;
}

}  // namespace socketeer::scenario
