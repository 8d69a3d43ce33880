// What a step says of its answer: expectations and captures; and values that steps have in common.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "client/scenario/answer.h"
#include "client/scenario/expectation.h"
#include "client/scenario/steps_reader.h"
#include "client/scenario/variables.h"
#include "client/scenario/verb.h"
#include "client/scenario/words.h"
#include "socketeer/text.h"

namespace socketeer::scenario {
namespace {

constexpr size_t kMostValues = 1'000;  // of one name of a matrix

// The types that a call's answer may have; none of what is no call.
std::vector<const google::protobuf::Descriptor*> AnswersOf(const Step& step) {
  const Call* const call = std::get_if<Call>(&step.action);
  if (call == nullptr || call->verb == nullptr) return {};
  std::vector<const google::protobuf::Descriptor*> answers;
  const Value* const method = call->arguments.Find("method");
  for (const std::string_view name :
       {call->verb->word == "call" && method != nullptr ? std::string_view(method->text) : call->verb->method,
        call->verb->datagram_method}) {
    if (const auto* const found = FindMethod(name); found != nullptr) answers.push_back(found->output_type());
  }
  return answers;
}

}  // namespace

absl::Duration StepsReader::ReadLimit(const Value& value, const std::string& what, absl::Duration least) {
  const absl::StatusOr<absl::Duration> limit = ParseDurationWord(value.text);
  if (value.type != Value::Type::kWord || !limit.ok()) {
    mistakes_.Note(value.at, what + ": " + (limit.ok() ? KindOf(value) : std::string(limit.status().message())));
    return absl::Seconds(1);
  }
  if (*limit < least) mistakes_.Note(value.at, what + ": " + Quoted(value.text) + " must be more than 0");
  return *limit;
}

std::vector<std::pair<std::string, std::vector<Value>>> StepsReader::ReadMatrix(const Value& map,
                                                                                const std::string& what) {
  std::vector<std::pair<std::string, std::vector<Value>>> matrix;
  if (map.type != Value::Type::kMap || map.fields.empty()) {
    mistakes_.Note(map.at, what + " must be a map of names to lists, {port: [80, 443]}");
    return matrix;
  }
  size_t combinations = 1;
  for (const auto& [name, values] : map.fields) {
    if (name.text == "run") mistakes_.Note(name.at, "the variable run is there already: the run's own word");
    if (!IsVariableName(name.text))
      mistakes_.Note(name.at, Quoted(name.text) + " is no variable's name: letters, digits, _ and -");
    if (values.type != Value::Type::kList || values.items.empty() || values.items.size() > kMostValues) {
      mistakes_.Note(values.at, name.text + " must be a list of 1 to 1000 values");
    }
    for (const Value& value : values.items) {
      if (value.type != Value::Type::kWord)
        mistakes_.Note(value.at, std::string("a value must be a word, not ") + KindOf(value));
    }
    known_.Check(values);
    combinations *= std::max<size_t>(values.items.size(), 1);
    if (combinations > 10 * kMostValues) mistakes_.Note(name.at, "with this there are more than 10,000 combinations");
    matrix.emplace_back(name.text, values.items);
  }
  return matrix;
}

void StepsReader::ReadAnswer(const Value& map, Step* step) {
  const Value* const expect = map.Find("expect");
  const Value* const capture = map.Find("capture");
  const bool group = std::holds_alternative<Parallel>(step->action) || std::holds_alternative<Loop>(step->action) ||
                     std::holds_alternative<Retry>(step->action);
  for (const Value* const answer : {expect, capture}) {
    if (answer != nullptr && group)
      return mistakes_.Note(answer->at, "a group of steps has no answer: expect and capture belong to its steps");
    if (answer != nullptr && (answer->type != Value::Type::kMap || answer->fields.empty())) {
      return mistakes_.Note(answer->at, answer == expect ? "expect must be a map, {field: what it must be}"
                                                         : "capture must be a map, {variable: field}");
    }
  }
  if (expect != nullptr) {
    known_.Check(*expect);
    for (const auto& [path, matcher] : expect->fields) {
      CheckField(path, *step);
      CheckMatcher(path.text, matcher);
      step->expectations.push_back({.path = path.text, .matcher = matcher, .at = path.at});
    }
  }
  if (capture == nullptr) return;
  for (const auto& [name, path] : capture->fields) {
    if (!IsVariableName(name.text))
      mistakes_.Note(name.at, Quoted(name.text) + " is no variable's name: letters, digits, _ and -");
    if (path.type != Value::Type::kWord)
      mistakes_.Note(path.at, std::string("a field must be a word, not ") + KindOf(path));
    CheckField(path, *step);
    known_.Add(name.text);
    step->captures.push_back({.variable = name.text, .path = path.text, .at = name.at});
  }
}

void StepsReader::CheckField(const Value& path, const Step& step) {
  std::vector<std::string> fields;
  if (std::holds_alternative<Program>(step.action)) fields = {"status", "signal", "stdout", "stderr", "took"};
  if (std::holds_alternative<Probe>(step.action)) fields = {"reason", "errno", "detail", "took"};
  const std::string first = path.text.substr(0, path.text.find('.'));
  if (std::find(fields.begin(), fields.end(), first) != fields.end()) return;
  const auto answers = AnswersOf(step);
  for (const auto* const answer : answers) {
    if (MayHaveField(*answer, path.text)) return;
    for (std::string& field : FieldsOf(*answer)) fields.push_back(std::move(field));
  }
  std::sort(fields.begin(), fields.end());
  fields.erase(std::unique(fields.begin(), fields.end()), fields.end());
  if (fields.empty()) return;
  mistakes_.Note(path.at, "the answer has no field " + Quoted(path.text) + "; it has " + Listed(fields));
}

void StepsReader::CheckMatcher(const std::string& path, const Value& matcher) {
  if (matcher.type == Value::Type::kList || matcher.type == Value::Type::kNothing) {
    return mistakes_.Note(matcher.at,
                          path + " must be a word, or a map of " + Listed(MatcherWords()) + ", not " + KindOf(matcher));
  }
  if (matcher.type != Value::Type::kMap || !CheckKeys(matcher, path, MatcherWords(), &mistakes_)) return;
  for (const auto& [word, wanted] : matcher.fields) {
    const bool list = word.text == "one-of";
    if (list != (wanted.type == Value::Type::kList)) {
      mistakes_.Note(wanted.at, word.text + " must be " + (list ? "a list" : "a word") + ", not " + KindOf(wanted));
    }
    for (const Value& each : wanted.items) {
      if (each.type != Value::Type::kWord)
        mistakes_.Note(each.at, std::string("a value must be a word, not ") + KindOf(each));
    }
    if (wanted.type == Value::Type::kWord && IsPlain(wanted)) {
      const absl::Status status = CheckWanted(word.text, wanted.text);
      if (!status.ok()) mistakes_.Note(wanted.at, word.text + ": " + std::string(status.message()));
    }
  }
}

}  // namespace socketeer::scenario
