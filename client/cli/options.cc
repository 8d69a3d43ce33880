// opt get, opt set, opt ls.
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "client/cli/arguments.h"
#include "client/cli/verbs.h"
#include "socketeer/socket_options.h"
#include "socketeer/status_macros.h"

namespace socketeer::cli {
namespace {

struct OptionArguments {
  std::string socket;
  std::vector<std::string> options;
};

// NAME=VALUE, a line each.
absl::Status Print(Cli& cli, const v1::SocketOptions& options) {
  if (cli.out().IsStructured()) return cli.out().Message(options);
  std::string lines;
  for (const OptionText& option : FormatOptions(options)) {
    lines += option.name + "=" + option.value + "\n";
  }
  return cli.out().Bytes(lines);
}

// Leaves `names` in the message; one that has no value there does not apply to the socket.
absl::Status KeepOnly(const std::vector<std::string>& names, v1::SocketOptions& options) {
  const google::protobuf::Descriptor& descriptor = *v1::SocketOptions::descriptor();
  const google::protobuf::Reflection& reflection = *options.GetReflection();
  for (const std::string& name : names) {
    if (reflection.HasField(options, descriptor.FindFieldByName(name))) continue;
    return UsageError("NAME: " + name + " does not apply to this socket");
  }
  for (int i = 0; i < descriptor.field_count(); ++i) {
    const google::protobuf::FieldDescriptor& field = *descriptor.field(i);
    const bool wanted = std::find(names.begin(), names.end(), field.name()) != names.end();
    if (!wanted) reflection.ClearField(&options, &field);
  }
  return absl::OkStatus();
}

absl::Status Get(Cli& cli, const OptionArguments& arguments) {
  SOCKETEER_RETURN_IF_ERROR(cli.out().RefuseName());
  for (const std::string& name : arguments.options) {
    SOCKETEER_RETURN_IF_ERROR(InArgument("NAME", CheckOptionName(name)));
  }
  SOCKETEER_ASSIGN_OR_RETURN(const RemoteSocket socket, cli.Socket(arguments.socket));
  SOCKETEER_ASSIGN_OR_RETURN(v1::SocketOptions options, socket.GetOptions(cli.Calls()));
  if (!arguments.options.empty()) {
    SOCKETEER_RETURN_IF_ERROR(KeepOnly(arguments.options, options));
  }
  return Print(cli, options);
}

absl::Status Set(Cli& cli, const OptionArguments& arguments) {
  SOCKETEER_RETURN_IF_ERROR(cli.out().RefuseName());
  v1::SocketOptions changes;
  for (const std::string& option : arguments.options) {
    SOCKETEER_RETURN_IF_ERROR(InArgument("NAME=VALUE", SetOption(option, &changes)));
  }
  SOCKETEER_ASSIGN_OR_RETURN(const RemoteSocket socket, cli.Socket(arguments.socket));
  SOCKETEER_ASSIGN_OR_RETURN(v1::SocketOptions options, socket.SetOptions(changes, cli.Calls()));
  std::vector<std::string> names;
  for (const OptionText& option : FormatOptions(changes)) names.push_back(option.name);
  SOCKETEER_RETURN_IF_ERROR(KeepOnly(names, options));
  return Print(cli, options);
}

absl::Status ListKnown(Cli& cli) {
  SOCKETEER_RETURN_IF_ERROR(cli.out().RefuseName());
  std::vector<std::vector<std::string>> rows = {{"NAME", "VALUE"}};
  std::string json;
  for (const OptionText& option : KnownOptions()) {
    rows.push_back({option.name, option.value});
    json += (json.empty() ? "{\"" : ",\"") + option.name + "\":\"" + option.value + "\"";
  }
  if (cli.out().IsStructured()) return cli.out().Json(json + "}");
  return cli.out().Bytes(FormatTable(rows));
}

}  // namespace

void AddOptions(CLI::App& app, Cli& cli) {
  CLI::App* opt = app.add_subcommand("opt", "Read and set socket options");
  opt->require_subcommand(1);
  opt->footer(
      "Examples:\n  socketeer opt ls\n  socketeer opt get web\n"
      "  socketeer opt set web nodelay=on rcvbuf=65536 linger=0");

  auto get_arguments = std::make_shared<OptionArguments>();
  CLI::App* get = opt->add_subcommand("get", "Print options as the kernel has them");
  AddSocket(get, get_arguments->socket);
  get->add_option("NAME", get_arguments->options, "Only these")->type_name("");
  cli.SetAction(get, [&cli, get_arguments] { return Get(cli, *get_arguments); });

  auto set_arguments = std::make_shared<OptionArguments>();
  CLI::App* set = opt->add_subcommand("set", "Set options; prints what the kernel made of them");
  AddSocket(set, set_arguments->socket);
  set->add_option("NAME=VALUE", set_arguments->options, "One or more")->required()->type_name("");
  cli.SetAction(set, [&cli, set_arguments] { return Set(cli, *set_arguments); });

  CLI::App* ls = opt->add_subcommand("ls", "List the options there are, and what they take");
  cli.SetAction(ls, [&cli] { return ListKnown(cli); });
}

}  // namespace socketeer::cli
