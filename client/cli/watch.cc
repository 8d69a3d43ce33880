#include <charconv>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "client/cli/arguments.h"
#include "client/cli/patience.h"
#include "client/cli/stdio.h"
#include "client/cli/verbs.h"
#include "socketeer/error.h"
#include "socketeer/status_macros.h"
#include "socketeer/text.h"
#include "socketeer/watcher.h"

namespace socketeer::cli {
namespace {

struct WatchArguments {
  std::optional<std::string> from;
};

constexpr char kWatchFooter[] =
    R"(Prints your sockets, and those shared with you, as they are, then every change, until Ctrl-C:
snapshot, opened, updated, closed, shared or unshared, and the socket after it; of a closed one also
why. Of -o json and yaml each change is a
document, with its revision.

It outlives the daemon for --timeout, and misses nothing meanwhile; if the daemon cannot tell
(it was started anew), it says so and prints all sockets again.

Examples:
  socketeer watch
  socketeer watch -o json | jq -r 'select(.kind == "CHANGE_KIND_CLOSED").socket.name'
  socketeer watch --from 1042       what came behind that revision, and goes on)";

absl::StatusOr<std::optional<uint64_t>> ParseRevision(const std::optional<std::string>& text) {
  if (!text.has_value()) return std::optional<uint64_t>();
  uint64_t revision = 0;
  const char* const end = text->data() + text->size();
  const auto [stop, error] = std::from_chars(text->data(), end, revision);
  if (error == std::errc() && stop == end) return std::optional(revision);
  return UsageError("--from: " + Quoted(*text) + " is not a revision: a whole number from 0 to 18446744073709551615");
}

absl::Status PrintChanges(const Cli& cli, const v1::WatchSocketsResponse& answer) {
  for (const v1::SocketChange& change : answer.changes()) SOCKETEER_RETURN_IF_ERROR(cli.out().Change(change));
  return absl::OkStatus();
}

// Where another watch can go on, for who cannot see it in the output.
void NotePlace(const Cli& cli, const Watcher& watcher) {
  if (!watcher.revision().has_value()) return;
  cli.Note("watch: --from " + std::to_string(*watcher.revision()) + " goes on from here");
}

absl::Status Watch(Cli& cli, const WatchArguments& arguments) {
  SOCKETEER_ASSIGN_OR_RETURN(const std::optional<uint64_t> from, ParseRevision(arguments.from));
  SOCKETEER_ASSIGN_OR_RETURN(const Host host, cli.Daemon());
  EndWithReader();
  Watcher watcher = host.Watch(from, cli.Calls());
  Patience patience(cli);
  while (true) {
    const absl::StatusOr<v1::WatchSocketsResponse> answer = watcher.Next();
    if (answer.ok()) {
      patience.Answered();
      SOCKETEER_RETURN_IF_ERROR(PrintChanges(cli, *answer));
    } else if (ReasonOf(answer.status()) == "REVISION_TOO_OLD") {
      patience.Answered();
      cli.Note("watch: the changes since then are no longer remembered; all sockets as they are now:");
      watcher = host.Watch(std::nullopt, cli.Calls());
    } else if (const absl::Status last = patience.Forgive(answer.status()); !last.ok()) {
      if (Classify(last) != ErrorKind::kCancelled) NotePlace(cli, watcher);
      return last;
    }
  }
}

}  // namespace

void AddWatch(CLI::App& app, Cli& cli) {
  auto arguments = std::make_shared<WatchArguments>();
  CLI::App* verb = app.add_subcommand("watch", "Print your sockets, and every change of them");
  verb->footer(kWatchFooter);
  AddOptional(verb, "--from", arguments->from, "Only changes behind this revision, of an earlier watch")
      ->type_name("REVISION");
  cli.SetAction(verb, [&cli, arguments] { return Watch(cli, *arguments); });
}

}  // namespace socketeer::cli
