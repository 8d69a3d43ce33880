// policy test, policy explain: a policy's file judged here, by the code that the daemon has.
#include <memory>
#include <string>
#include <vector>

#include "client/cli/stdio.h"
#include "client/cli/verbs.h"
#include "nlohmann/json.hpp"
#include "server/policy/policy_file.h"
#include "socketeer/status_macros.h"
#include "socketeer/text.h"

namespace socketeer::cli {
namespace {

struct ExplainArguments {
  std::string file, identity, verb, object;
};

absl::StatusOr<policy::Policy> ReadPolicy(const std::string& file) {
  SOCKETEER_ASSIGN_OR_RETURN(const Input input, Input::File(file));
  SOCKETEER_ASSIGN_OR_RETURN(const std::string text, input.ReadAll(policy::kMaxPolicyBytes, "a policy"));
  auto read = policy::ParsePolicy(text, Printable(file));
  if (!read.ok()) return UsageError(read.error().message);
  return *std::move(read);
}

// A policy that only watches must not be taken for one that guards.
const char* ModeOf(const policy::Policy& read) { return read.mode == policy::Mode::kShadow ? "shadow" : "enforce"; }

void NoteMode(const Cli& cli, const std::string& file, const policy::Policy& read) {
  if (read.mode == policy::Mode::kShadow) cli.Note(Printable(file) + ": mode is shadow: nothing is denied, only told");
}

absl::Status Test(Cli& cli, const std::vector<std::string>& files) {
  SOCKETEER_RETURN_IF_ERROR(cli.out().RefuseName());
  auto results = nlohmann::json::array();
  std::string lines;
  for (const std::string& file : files) {
    SOCKETEER_ASSIGN_OR_RETURN(const policy::Policy read, ReadPolicy(file));
    NoteMode(cli, file, read);
    const std::vector<std::string> failed = read.FailedCases();
    for (const std::string& each : failed) cli.Note(Printable(file) + ":" + each);
    if (read.cases.empty()) cli.Note(Printable(file) + " has no cases, so nothing was tested");
    if (!failed.empty() || read.cases.empty()) cli.Expected(false);
    lines += Printable(file) + ": " + std::to_string(read.cases.size() - failed.size()) + " of " +
             std::to_string(read.cases.size()) + " cases hold\n";
    results.push_back(
        {{"file", Printable(file)}, {"mode", ModeOf(read)}, {"cases", read.cases.size()}, {"failed", failed}});
  }
  return cli.out().IsStructured() ? cli.out().Json(results.dump()) : cli.out().Bytes(lines);
}

absl::Status Explain(Cli& cli, const ExplainArguments& arguments) {
  SOCKETEER_RETURN_IF_ERROR(cli.out().RefuseName());
  SOCKETEER_ASSIGN_OR_RETURN(const policy::Policy read, ReadPolicy(arguments.file));
  const auto request = policy::ParseRequest(arguments.identity, arguments.verb, arguments.object);
  if (!request.ok()) return UsageError(request.error().message);
  NoteMode(cli, arguments.file, read);
  const policy::Decision decision = read.Decide(*request);
  if (cli.out().IsStructured()) {
    nlohmann::json document = {{"allowed", decision.allowed}, {"mode", ModeOf(read)}};
    if (decision.rule != nullptr) document["rule"] = decision.rule->name;
    if (decision.rule != nullptr) document["line"] = decision.rule->line;
    return cli.out().Json(document.dump());
  }
  return cli.out().Bytes(decision.ToString() + "\n");
}

void AddTest(CLI::App* policy, Cli& cli) {
  auto files = std::make_shared<std::vector<std::string>>();
  CLI::App* verb = policy->add_subcommand("test", "Whether the cases in a policy's file hold");
  verb->footer("Ends with 4 if one does not, or there is none.\nExample:\n  socketeer policy test policy.yaml");
  verb->add_option("FILE", *files, "a policy")->required()->type_name("");
  cli.SetAction(verb, [&cli, files] { return Test(cli, *files); });
}

void AddExplain(CLI::App* policy, Cli& cli) {
  auto arguments = std::make_shared<ExplainArguments>();
  CLI::App* verb = policy->add_subcommand("explain", "Which rule decides, and how");
  verb->footer(
      "Examples:\n  socketeer policy explain --file policy.yaml uid:1000 connect tcp:10.0.0.1:80\n"
      "  socketeer policy explain --file policy.yaml spiffe://lab/ci bind unix:/run/app/x\n"
      "  socketeer policy explain --file policy.yaml uid:1000 administer");
  verb->add_option("--file", arguments->file, "the policy")->required()->type_name("FILE");
  verb->add_option("IDENTITY", arguments->identity, "who: uid:1000, token:ci, spiffe://lab/ci")
      ->required()
      ->type_name("");
  verb->add_option("VERB", arguments->verb,
                   "what: open, connect, bind, listen, send, receive, option, resolve, raw, ...")
      ->required()
      ->type_name("");
  verb->add_option("OBJECT", arguments->object, "to what: tcp4, tcp:10.0.0.1:80, unix:/run/x, a name")->type_name("");
  cli.SetAction(verb, [&cli, arguments] { return Explain(cli, *arguments); });
}

}  // namespace

void AddPolicy(CLI::App& app, Cli& cli) {
  CLI::App* policy = app.add_subcommand("policy", "Try a policy's file");
  policy->require_subcommand(1);
  AddTest(policy, cli);
  AddExplain(policy, cli);
}

}  // namespace socketeer::cli
