// barrier, wait-value, withdraw, values: agents that meet at a daemon.
#include <charconv>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "client/cli/arguments.h"
#include "client/cli/verbs.h"
#include "socketeer/coordination.h"
#include "socketeer/error.h"
#include "socketeer/names.h"
#include "socketeer/status_macros.h"
#include "socketeer/text.h"

namespace socketeer::cli {
namespace {

constexpr char kBarrierFooter[] =
    R"(Waits until N have arrived, and all go on together; prints the generation, which counts how often
the barrier was used, and the place in the order of arrival. Who has arrived and goes, by Ctrl-C,
--timeout or death, breaks it: the others end with exit code 3, it with 6 after --timeout.

Example:
  socketeer barrier go --parties 3 --party "$HOSTNAME" && ./measure)";

constexpr char kWaitValueFooter[] =
    R"(Prints the value, byte for byte: no end of line is added. --timeout 0 looks once.

Examples:
  server=$(socketeer wait-value server)
  socketeer wait-value config --newer 17 -o json)";

struct BarrierArguments {
  std::string barrier;
  std::string parties;
  std::optional<std::string> party;
  std::optional<std::string> generation;
  bool shared = false;
};

struct ValueArguments {
  std::string value;
  std::optional<std::string> owner;
  std::optional<std::string> newer;
};

absl::StatusOr<uint64_t> ParseNumber(const std::string& argument, const std::optional<std::string>& text) {
  if (!text.has_value()) return 0;
  uint64_t number = 0;
  const char* const end = text->data() + text->size();
  const auto [stop, error] = std::from_chars(text->data(), end, number);
  if (error == std::errc() && stop == end) return number;
  return UsageError(argument + ": " + Quoted(*text) + " is not a whole number from 0 to 18446744073709551615");
}

absl::StatusOr<std::string> ParseText(const std::string& argument, const std::optional<std::string>& text) {
  if (text.has_value() && !IsUtf8(*text)) return UsageError(argument + ": not UTF-8");
  return text.value_or("");
}

absl::Status AwaitBarrier(Cli& cli, const BarrierArguments& arguments) {
  SOCKETEER_RETURN_IF_ERROR(cli.out().RefuseName());
  v1::AwaitBarrierRequest request;
  SOCKETEER_ASSIGN_OR_RETURN(*request.mutable_barrier(), InArgument("NAME", ParseBarrierName(arguments.barrier)));
  SOCKETEER_ASSIGN_OR_RETURN(const uint32_t parties, ParseCount("--parties", arguments.parties, 1, kMaxInt));
  request.set_parties(parties);
  SOCKETEER_ASSIGN_OR_RETURN(*request.mutable_party(), ParseText("--party", arguments.party));
  SOCKETEER_ASSIGN_OR_RETURN(const uint64_t generation, ParseNumber("--generation", arguments.generation));
  if (arguments.generation.has_value() && generation == 0) return UsageError("--generation: they count from 1");
  request.set_generation(generation);
  request.set_shared(arguments.shared);
  SOCKETEER_ASSIGN_OR_RETURN(const Host host, cli.Daemon());
  SOCKETEER_ASSIGN_OR_RETURN(const v1::AwaitBarrierResponse response,
                             Coordination(host).AwaitBarrier(request, cli.Calls()));
  if (cli.out().IsStructured()) SOCKETEER_RETURN_IF_ERROR(cli.out().Message(response));
  if (response.timed_out()) {
    return TimedOutError("barrier: timed out; " + std::to_string(response.arrived()) + " of " +
                         std::to_string(parties) + " had arrived");
  }
  if (cli.out().IsStructured()) return absl::OkStatus();
  return cli.out().Bytes(request.barrier() + "  generation " + std::to_string(response.generation()) + "  index " +
                         std::to_string(response.index()) + "  parties " + std::to_string(parties) + "\n");
}

absl::Status AwaitValue(Cli& cli, const ValueArguments& arguments) {
  v1::AwaitValueRequest request;
  SOCKETEER_ASSIGN_OR_RETURN(*request.mutable_name(), InArgument("NAME", ParseValueName(arguments.value)));
  SOCKETEER_ASSIGN_OR_RETURN(*request.mutable_owner(), ParseText("--owner", arguments.owner));
  SOCKETEER_ASSIGN_OR_RETURN(const uint64_t newer, ParseNumber("--newer", arguments.newer));
  request.set_after_revision(newer);
  SOCKETEER_ASSIGN_OR_RETURN(const Host host, cli.Daemon());
  SOCKETEER_ASSIGN_OR_RETURN(const v1::AwaitValueResponse response,
                             Coordination(host).AwaitValue(request, cli.Calls()));
  if (cli.out().IsStructured()) SOCKETEER_RETURN_IF_ERROR(cli.out().Message(response));
  if (response.timed_out()) return TimedOutError("wait-value: timed out; there is no " + request.name());
  if (cli.out().IsStructured()) return absl::OkStatus();
  if (cli.out().format() == Format::kName) return cli.out().Value(response.value());
  return cli.out().Bytes(response.value().data());
}

absl::Status Withdraw(Cli& cli, const std::string& value) {
  v1::WithdrawValueRequest request;
  SOCKETEER_ASSIGN_OR_RETURN(*request.mutable_name(), InArgument("NAME", ParseValueName(value)));
  SOCKETEER_ASSIGN_OR_RETURN(const Host host, cli.Daemon());
  SOCKETEER_ASSIGN_OR_RETURN(const v1::Value withdrawn, Coordination(host).WithdrawValue(request, cli.Calls()));
  return cli.out().Value(withdrawn);
}

absl::Status ListValues(Cli& cli) {
  SOCKETEER_ASSIGN_OR_RETURN(const Host host, cli.Daemon());
  SOCKETEER_ASSIGN_OR_RETURN(const std::vector<v1::Value> values, Coordination(host).ListValues(cli.Calls()));
  v1::ListValuesResponse list;
  list.mutable_values()->Add(values.begin(), values.end());
  return cli.out().Values(list);
}

}  // namespace

absl::Status Output::Value(const v1::Value& value) const {
  if (IsStructured()) return Message(value);
  const std::string name = Printable(value.name());
  if (format_ == Format::kName) return Bytes(name + "\n");
  return Bytes(name + "  " + std::to_string(value.size()) + " bytes  revision " + std::to_string(value.revision()) +
               (value.shared() ? "  shared" : "") + "\n");
}

absl::Status Output::Values(const v1::ListValuesResponse& list) const {
  if (IsStructured()) return Message(list);
  std::string names;
  std::vector<std::vector<std::string>> rows = {{"NAME", "OWNER", "BYTES", "REVISION", "SHARED"}};
  for (const v1::Value& value : list.values()) {
    names += Printable(value.name()) + "\n";
    rows.push_back({Printable(value.name()), Printable(value.owner()), std::to_string(value.size()),
                    std::to_string(value.revision()), value.shared() ? "yes" : "no"});
  }
  return Bytes(format_ == Format::kName ? names : FormatTable(rows));
}

void AddBarrier(CLI::App& app, Cli& cli) {
  auto arguments = std::make_shared<BarrierArguments>();
  CLI::App* verb = app.add_subcommand("barrier", "Wait at a barrier until all parties have arrived");
  verb->footer(kBarrierFooter);
  verb->add_option("NAME", arguments->barrier, "ID or barriers/ID")->required()->type_name("");
  verb->add_option("--parties", arguments->parties, "How many there are; all say the same")->required()->type_name("N");
  AddOptional(verb, "--party", arguments->party, "Who arrives, for the others to be told if it goes")
      ->type_name("TEXT");
  AddOptional(verb, "--generation", arguments->generation,
              "Which one is meant, from 1: if it is over, do not begin the next")
      ->type_name("N");
  verb->add_flag("--shared", arguments->shared, "The barrier is everybody's; default: your identity's");
  cli.SetAction(verb, [&cli, arguments] { return AwaitBarrier(cli, *arguments); });
}

void AddValues(CLI::App& app, Cli& cli) {
  auto arguments = std::make_shared<ValueArguments>();
  CLI::App* wait = app.add_subcommand("wait-value", "Wait until a value is published, and print it");
  wait->footer(kWaitValueFooter);
  wait->add_option("NAME", arguments->value, "ID or values/ID")->required()->type_name("");
  AddOptional(wait, "--owner", arguments->owner, "Only this identity's; default: whoever's")->type_name("IDENTITY");
  AddOptional(wait, "--newer", arguments->newer, "Only one with a higher revision")->type_name("REVISION");
  cli.SetAction(wait, [&cli, arguments] { return AwaitValue(cli, *arguments); });

  auto withdrawn = std::make_shared<std::string>();
  CLI::App* withdraw = app.add_subcommand("withdraw", "End a value that you published; prints it as it was last");
  withdraw->add_option("NAME", *withdrawn, "ID or values/ID")->required()->type_name("");
  cli.SetAction(withdraw, [&cli, withdrawn] { return Withdraw(cli, *withdrawn); });

  CLI::App* values = app.add_subcommand("values", "List published values: yours, and those shared with everybody");
  cli.SetAction(values, [&cli] { return ListValues(cli); });
}

}  // namespace socketeer::cli
