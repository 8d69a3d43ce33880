// completion: a script for the shell, made from the verbs and options that there are.
#include <memory>
#include <string>
#include <vector>

#include "client/cli/verbs.h"
#include "socketeer/kind.h"
#include "socketeer/status_macros.h"
#include "socketeer/text.h"

namespace socketeer::cli {
namespace {

std::vector<CLI::App*> VerbsOf(CLI::App& app) {
  return app.get_subcommands([](CLI::App*) { return true; });
}

std::vector<std::string> OptionsOf(CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    if (!option->get_lnames().empty()) continue;
    for (const std::string& name : option->get_snames()) names.push_back("-" + name);
  }
  return names;
}

std::string Joined(const std::vector<std::string>& words, const std::string& separator) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : separator) + word;
  return text;
}

std::vector<std::string> NamesOf(const std::vector<CLI::App*>& verbs) {
  std::vector<std::string> names;
  for (const CLI::App* verb : verbs) names.push_back(verb->get_name());
  return names;
}

// What may come behind a verb, besides names of sockets.
std::vector<std::string> WordsBehind(CLI::App& verb) {
  std::vector<std::string> words = OptionsOf(verb);
  for (CLI::App* inner : VerbsOf(verb)) {
    words.push_back(inner->get_name());
    for (const std::string& option : OptionsOf(*inner)) words.push_back(option);
  }
  if (verb.get_name() == "open") {
    for (const std::string_view kind : KindWords()) words.emplace_back(kind);
  }
  return words;
}

std::string BashScript(CLI::App& app) {
  const std::vector<std::string> names = NamesOf(VerbsOf(app));
  const std::string global = Joined(OptionsOf(app), " ");
  std::string cases = "    '') words='" + Joined(names, " ") + "' ;;\n";
  for (CLI::App* verb : VerbsOf(app)) {
    cases += "    " + verb->get_name() + ") words='" + Joined(WordsBehind(*verb), " ") + "' ;;\n";
  }
  return R"sh(_socketeer() {
  local current="${COMP_WORDS[COMP_CWORD]}" verb='' words='' word
  for word in "${COMP_WORDS[@]:1:$((COMP_CWORD - 1))}"; do
    case "$word" in )sh" +
         Joined(names, "|") + R"sh() verb="$word"; break ;; esac
  done
  case "$verb" in
)sh" + cases +
         R"sh(  esac
  case "$current" in
    -*) words="$words )sh" +
         global + R"sh(" ;;
    *) case "$verb ${COMP_WORDS[COMP_CWORD-1]}" in
         session\ *|*--session|transfer\ --to) words="$words $(socketeer session ls -o name 2>/dev/null)" ;;
         \ *) ;;
         *) words="$words $(socketeer ls -o name 2>/dev/null)" ;;
       esac ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -F _socketeer socketeer
)sh";
}

// Sourced, or found by compinit as _socketeer: then zsh takes the file for the function's body, and runs it when it is
// first asked, for an answer to that too.
std::string ZshScript(CLI::App& app) {
  return "#compdef socketeer\nautoload -U +X bashcompinit && bashcompinit\n" + BashScript(app) +
         "[[ $funcstack[1] != _socketeer ]] || _bash_complete -F _socketeer\n";
}

std::string FishScript(CLI::App& app) {
  const std::string names = Joined(NamesOf(VerbsOf(app)), " ");
  std::string script = "complete -c socketeer -f\n";
  for (const std::string& option : OptionsOf(app)) {
    script += "complete -c socketeer -l " + option.substr(2) + "\n";
  }
  for (CLI::App* verb : VerbsOf(app)) {
    script += "complete -c socketeer -n 'not __fish_seen_subcommand_from " + names + "' -a " + verb->get_name() + "\n";
    script += "complete -c socketeer -n '__fish_seen_subcommand_from " + verb->get_name() + "' -a '" +
              Joined(WordsBehind(*verb), " ") + "'\n";
  }
  return script + "complete -c socketeer -n '__fish_seen_subcommand_from session' " +
         "-a '(socketeer session ls -o name 2>/dev/null)'\n" +
         "complete -c socketeer -n '__fish_seen_subcommand_from " + names +
         "; and not __fish_seen_subcommand_from session' -a '(socketeer ls -o name 2>/dev/null)'\n";
}

absl::Status Complete(CLI::App& app, Cli& cli, const std::string& shell) {
  SOCKETEER_RETURN_IF_ERROR(cli.out().RefuseName());
  if (shell == "bash") return cli.out().Bytes(BashScript(app));
  if (shell == "zsh") return cli.out().Bytes(ZshScript(app));
  if (shell == "fish") return cli.out().Bytes(FishScript(app));
  return UsageError("SHELL: " + Quoted(shell) + " is not bash, zsh or fish");
}

}  // namespace

void AddCompletion(CLI::App& app, Cli& cli) {
  auto shell = std::make_shared<std::string>();
  CLI::App* verb = app.add_subcommand("completion", "Print a completion script for a shell");
  verb->footer("Example:\n  source <(socketeer completion bash)");
  verb->add_option("SHELL", *shell, "bash, zsh or fish")->required()->type_name("");
  cli.SetAction(verb, [&app, &cli, shell] { return Complete(app, cli, *shell); });
}

}  // namespace socketeer::cli
