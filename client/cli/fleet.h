// A verb on many hosts at once: --on and --all-hosts.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "client/cli/cli.h"
#include "nlohmann/json.hpp"
#include "socketeer/fleet.h"

namespace socketeer::cli {

// What one host answered, for each format.
struct HostAnswer {
  std::vector<std::vector<std::string>> rows{};  // of the table, behind the host's name
  std::string text{};                            // in place of the table, if it has no columns
  std::string json = "null";                     // of the member that the question names
  std::vector<std::string> names{};              // of -o name, behind the host's name
  std::vector<absl::Status> errors{};            // beside the answer
};

// The error, and behind it how many of something there are beside it.
absl::Status AndAlso(const absl::Status& error, std::string_view what, size_t count);

// What is asked of each host, and how the answers are shown.
struct FleetQuestion {
  std::string member{};                // its name in a host's object in JSON
  std::vector<std::string> columns{};  // the table's header; HOST stands before it. None: see HostAnswer.text
  bool header = true;                  // whether it is printed
  bool prints_names = true;            // whether there is -o name
  bool in_session = true;              // whether the calls are made in the session that --session names
  // Called on the threads of the fleet. An error: there is no answer.
  std::function<absl::StatusOr<HostAnswer>(const HostEntry&, const Host&, const CallOptions&)> ask{};
  std::string all_json{};  // in JSON, members beside "hosts", each with a comma behind it
  std::string all_text{};  // before the table
};

// Asks the hosts that --on and --all-hosts mean. Prints their answers in the order of the hosts file, and each error on
// standard error, in its host's name. An error: of the command line, or the output cannot be written.
absl::Status AskFleet(Cli& cli, const FleetQuestion& question);

// JSON that is not a message's; what is not UTF-8 in it is shown as U+FFFD.
using Document = nlohmann::ordered_json;
std::string ToJson(const Document& document);
// `{"code":"UNAVAILABLE","reason":"","message":"..."}` of each that is one.
Document ErrorsDocument(const std::vector<absl::Status>& errors);
// JSON documents as a list.
std::string JsonList(const std::vector<std::string>& elements);

}  // namespace socketeer::cli
