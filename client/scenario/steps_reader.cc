#include "client/scenario/steps_reader.h"

#include <algorithm>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "client/scenario/prepare.h"
#include "client/scenario/variables.h"
#include "client/scenario/verb.h"
#include "client/scenario/words.h"
#include "socketeer/text.h"

namespace socketeer::scenario {
namespace {

const std::vector<std::string>& RunnerActions() {
  static const std::vector<std::string> kActions = {"run", "probe", "parallel", "for-each", "retry"};
  return kActions;
}

const std::vector<std::string>& Actions() {
  static const std::vector<std::string> kActions = [] {
    std::vector<std::string> actions;
    for (const Verb& verb : Verbs()) actions.emplace_back(verb.word);
    actions.insert(actions.end(), RunnerActions().begin(), RunnerActions().end());
    return actions;
  }();
  return kActions;
}

const std::vector<std::string>& CommonKeys() {
  static const std::vector<std::string> kKeys = {"on", "name", "expect", "capture", "limit"};
  return kKeys;
}

bool Contains(const std::vector<std::string>& words, const std::string& word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

bool IsGroup(const Step& step) {
  return std::holds_alternative<Parallel>(step.action) || std::holds_alternative<Loop>(step.action) ||
         std::holds_alternative<Retry>(step.action);
}

}  // namespace

bool StepsReader::IsPlain(const Value& word) const { return word.text.find('$') == std::string::npos; }

Steps StepsReader::Read(const Value& list, const std::string& what) {
  Steps steps;
  if (list.type != Value::Type::kList) {
    mistakes_.Note(list.at, what + " must be a list of steps, not " + KindOf(list));
    return steps;
  }
  if (list.items.empty()) mistakes_.Note(list.at, what + " must have at least one step");
  for (const Value& each : list.items) steps.push_back(ReadStep(each));
  return steps;
}

Step StepsReader::ReadStep(const Value& map) {
  Step step;
  step.at = map.at;
  std::vector<std::string> keys = CommonKeys();
  keys.insert(keys.end(), Actions().begin(), Actions().end());
  if (map.type != Value::Type::kMap) {
    mistakes_.Note(map.at, std::string("a step must be a map with one action, not ") + KindOf(map));
    return step;
  }
  const Value* action = nullptr;
  const Value* key_of_action = nullptr;
  for (const auto& [key, value] : map.fields) {
    if (Contains(CommonKeys(), key.text)) {
      if (value.type == Value::Type::kNothing) mistakes_.Note(key.at, "the key " + Quoted(key.text) + " has no value");
      continue;
    }
    if (!Contains(Actions(), key.text)) {
      if (key.text == "sleep") {
        mistakes_.Note(
            key.at,
            "there is no sleep: wait for what is needed, with wait, wait-value, retry, or recv and its timeout");
        return step;
      }
      const std::string suggestion = Suggestion(key.text, keys);
      mistakes_.Note(key.at, "unknown key " + Quoted(key.text) + " of a step" +
                                 (suggestion.empty() ? "; actions are " + Listed(Actions()) : suggestion));
      return step;
    }
    if (action != nullptr) {
      mistakes_.Note(key.at, "a step has one action, and " + key_of_action->text + " and " + key.text + " are two");
    }
    action = &value;
    key_of_action = &key;
  }
  if (action == nullptr) {
    mistakes_.Note(map.at, "a step needs an action, one of " + Listed(Actions()));
    return step;
  }
  step.at = key_of_action->at;
  const bool has_host = key_of_action->text == "probe" || !Contains(RunnerActions(), key_of_action->text);
  step.host = ReadHost(map, key_of_action->text, has_host);
  if (const Value* const name = map.Find("name")) {
    known_.Check(*name);
    if (name->type != Value::Type::kWord)
      mistakes_.Note(name->at, std::string("name must be a word, not ") + KindOf(*name));
    step.name = name->text;
  }
  ReadAction(key_of_action->text, *action, &step);
  step.limit = IsGroup(step) ? limit_ : std::min(step.limit, limit_);
  if (const Value* const limit = map.Find("limit")) step.limit = ReadLimit(*limit, "limit", absl::Milliseconds(1));
  ReadAnswer(map, &step);
  return step;
}

std::string StepsReader::ReadHost(const Value& map, const std::string& action, bool has_host) {
  const Value* const on = map.Find("on");
  if (!has_host) {
    if (on != nullptr) mistakes_.Note(on->at, "on does not go with " + action + ", which runs on no host");
    return "";
  }
  if (on == nullptr) {
    if (hosts_.size() == 1) return hosts_[0];
    mistakes_.Note(map.at, action + " needs on: the host, one of " + Listed(hosts_));
    return "";
  }
  if (on->type != Value::Type::kWord || !Contains(hosts_, on->text)) {
    mistakes_.Note(on->at, "on: there is no host " + Quoted(on->text) + " in this scenario; there are " +
                               (hosts_.empty() ? "none" : Listed(hosts_)) + Suggestion(on->text, hosts_));
  }
  return on->text;
}

void StepsReader::ReadAction(const std::string& action, const Value& value, Step* step) {
  constexpr int kMostDeep = 16;
  if (++depth_ > kMostDeep) mistakes_.Note(value.at, "more than 16 groups of steps in one another");
  if (mistakes_.first().has_value()) {
  } else if (action == "run") {
    step->action = ReadProgram(value);
  } else if (action == "probe") {
    step->action = ReadProbe(value);
  } else if (action == "parallel") {
    step->action = ReadParallel(value);
  } else if (action == "for-each") {
    step->action = ReadLoop(value);
  } else if (action == "retry") {
    step->action = ReadRetry(value);
  } else {
    step->action = ReadCall(action, value);
  }
  --depth_;
}

Call StepsReader::ReadCall(const std::string& action, const Value& value) {
  known_.Check(value);
  Call call{.verb = FindVerb(action), .arguments = value, .folder = folder_};
  if (mistakes_.first().has_value()) return call;
  const FillIn fill = [this](const Value& word) -> absl::StatusOr<std::optional<std::string>> {
    if (!IsPlain(word)) return std::nullopt;
    return word.text;
  };
  Prepare(call, fill, SocketNames("xxxxxx"), &mistakes_);
  return call;
}

Program StepsReader::ReadProgram(const Value& value) {
  Program program;
  Value command = value;
  if (value.type == Value::Type::kMap) {
    if (!CheckKeys(value, "run", {"command", "input"}, &mistakes_)) return program;
    const Value* const inner = value.Find("command");
    if (inner == nullptr) {
      mistakes_.Note(value.at, "run needs a command: [program, argument, ...]");
      return program;
    }
    command = *inner;
    if (const Value* const input = value.Find("input")) program.input = *input;
  }
  known_.Check(value);
  if (command.type != Value::Type::kList || command.items.empty()) {
    mistakes_.Note(command.at, "run must be a list, [program, argument, ...]: there is no shell");
    return program;
  }
  for (const Value& word : command.items) {
    if (word.type != Value::Type::kWord)
      mistakes_.Note(word.at, std::string("an argument must be a word, not ") + KindOf(word));
  }
  program.command = command.items;
  return program;
}

Probe StepsReader::ReadProbe(const Value& value) {
  Probe probe;
  if (!CheckKeys(value, "probe", {"to", "protocol", "listen"}, &mistakes_)) return probe;
  known_.Check(value);
  const Value* const to = value.Find("to");
  if (to == nullptr || to->type != Value::Type::kWord) {
    mistakes_.Note(value.at, "probe needs to: an address, HOST:PORT");
    return probe;
  }
  probe.to = *to;
  if (const Value* const protocol = value.Find("protocol")) {
    probe.protocol = *protocol;
    if (IsPlain(*protocol) && protocol->text != "tcp" && protocol->text != "udp") {
      mistakes_.Note(protocol->at, "protocol: " + Quoted(protocol->text) + " is neither tcp nor udp");
    }
  }
  if (const Value* const listen = value.Find("listen")) {
    probe.listen = listen->text == "true";
    if (listen->text != "true" && listen->text != "false") {
      mistakes_.Note(listen->at, "listen: " + Quoted(listen->text) + " is neither true nor false");
    }
  }
  return probe;
}

Parallel StepsReader::ReadParallel(const Value& value) {
  constexpr size_t kMostBranches = 64;
  Parallel parallel;
  if (value.type != Value::Type::kMap || value.fields.empty()) {
    mistakes_.Note(value.at, "parallel must be a map of branches, {name: [steps], ...}");
    return parallel;
  }
  if (value.fields.size() > kMostBranches)
    mistakes_.Note(value.at, absl::StrCat(value.fields.size(), " branches; at most 64 are allowed"));
  const std::set<std::string> before = known_.names();
  std::vector<std::string> captured;
  for (const auto& [name, steps] : value.fields) {
    parallel.branches.push_back({.name = name.text, .steps = Read(steps, "the branch " + Quoted(name.text))});
    // What a branch captures, another one cannot rely on; what comes behind the group can.
    captured.insert(captured.end(), known_.names().begin(), known_.names().end());
    known_.Reset(before);
  }
  for (const std::string& name : captured) known_.Add(name);
  return parallel;
}

Loop StepsReader::ReadLoop(const Value& value) {
  Loop loop;
  if (!CheckKeys(value, "for-each", {"over", "steps"}, &mistakes_)) return loop;
  const Value* const over = value.Find("over");
  const Value* const steps = value.Find("steps");
  if (over == nullptr || steps == nullptr) {
    mistakes_.Note(value.at, std::string("for-each needs ") + (over == nullptr ? "over" : "steps"));
    return loop;
  }
  loop.over = ReadMatrix(*over, "over");
  const std::set<std::string> before = known_.names();
  for (const auto& [name, values] : loop.over) known_.Add(name);
  loop.steps = Read(*steps, "steps");
  for (const auto& [name, values] : loop.over) {
    if (!before.contains(name)) known_.Remove(name);
  }
  return loop;
}

Retry StepsReader::ReadRetry(const Value& value) {
  Retry retry;
  if (!CheckKeys(value, "retry", {"successes", "pause", "steps"}, &mistakes_)) return retry;
  if (const Value* const successes = value.Find("successes")) {
    if (!absl::SimpleAtoi(successes->text, &retry.successes) || retry.successes < 1 || retry.successes > 10'000) {
      mistakes_.Note(successes->at, "successes: " + Quoted(successes->text) + " is not a number of 1 to 10000");
    }
  }
  if (const Value* const pause = value.Find("pause")) retry.pause = ReadLimit(*pause, "pause", absl::ZeroDuration());
  const Value* const steps = value.Find("steps");
  if (steps == nullptr) {
    mistakes_.Note(value.at, "retry needs steps");
    return retry;
  }
  retry.steps = Read(*steps, "steps");
  return retry;
}

}  // namespace socketeer::scenario
