#include "server/policy/policy_file.h"

#include <set>
#include <utility>
#include <vector>

#include "server/policy/document.h"
#include "server/policy/groups.h"
#include "server/policy/rule_reader.h"
#include "server/policy/yaml_fields.h"

namespace socketeer::policy {
namespace {

constexpr size_t kMaxRules = 1'000;
constexpr char kCaseForm[] =
    "[IDENTITY, VERB, OBJECT, allow or deny, RULE]; without OBJECT for a verb that has none, RULE may be absent";

Mode ReadMode(const YAML::Node& node, Problems* problems) {
  const std::string word = problems->OneWord(node, "enforce, shadow");
  if (word != "enforce" && word != "shadow" && !word.empty()) problems->Note(node, "mode must be enforce or shadow");
  return word == "shadow" ? Mode::kShadow : Mode::kEnforce;
}

Case ReadCase(const YAML::Node& node, const std::set<std::string>& rules, Problems* problems) {
  Case read;
  read.line = Problems::LineOf(node);
  std::vector<std::string> words;
  for (Word& word : problems->Words(node, kCaseForm)) words.push_back(std::move(word.text));
  const auto verb = words.size() > 1 ? VerbNamed(words[1]) : std::nullopt;
  const size_t result = verb && ObjectOfVerb(*verb) == ObjectOf::kNothing ? 2 : 3;
  if (words.size() <= result || words.size() > result + 2) {
    problems->Note(node, std::string("must be ") + kCaseForm);
    return read;
  }
  auto request = ParseRequest(words[0], words[1], result == 3 ? words[2] : "");
  if (!request.ok()) problems->Note(node, request.error().message);
  if (words[result] != "allow" && words[result] != "deny") problems->Note(node, "the result must be allow or deny");
  if (words.size() > result + 1) read.rule = words[result + 1];
  if (!read.rule.empty() && !rules.contains(read.rule)) {
    problems->Note(node, "there is no rule " + Quoted(read.rule));
  }
  if (request.ok()) read.request = *std::move(request);
  read.allowed = words[result] == "allow";
  return read;
}

Policy ReadRoot(const YAML::Node& root, Problems* problems) {
  Policy policy;
  const Fields fields(root, {"identities", "addresses", "rules", "cases", "mode"}, problems);
  Groups groups;
  groups.ReadIdentities(fields["identities"], problems);
  groups.ReadAddresses(fields["addresses"], problems);
  if (fields.Has("mode")) policy.mode = ReadMode(fields["mode"], problems);
  if (!fields.Has("rules")) problems->Note(root, "the key rules is missing");
  std::set<std::string> names;
  for (const YAML::Node& each : problems->List(fields["rules"], "rules", kMaxRules)) {
    policy.rules.push_back(ReadRule(each, policy.rules.size() + 1, groups, problems));
    const Rule& rule = policy.rules.back();
    if (!names.insert(rule.name).second) problems->Note(each, "there are two rules named " + Quoted(rule.name));
  }
  for (const YAML::Node& each : problems->List(fields["cases"], "cases")) {
    policy.cases.push_back(ReadCase(each, names, problems));
  }
  return policy;
}

}  // namespace

base::Result<Policy> ParsePolicy(const std::string& text, const std::string& file) {
  Policy policy;
  std::string problem = ReadDocument(text, file, "there are no rules", [&](const YAML::Node& root, Problems* problems) {
    policy = ReadRoot(root, problems);
  });
  if (problem.empty()) return policy;
  base::Error error;
  error.code = base::Code::kInvalidArgument;
  error.reason = "INVALID_POLICY";
  error.message = std::move(problem);
  return error;
}

}  // namespace socketeer::policy
