#include "client/cli/arguments.h"

#include <charconv>
#include <cstdlib>
#include <utility>

#include "client/cli/cli.h"
#include "socketeer/names.h"
#include "socketeer/status_macros.h"
#include "socketeer/text.h"

namespace socketeer::cli {

CLI::Option* AddOptional(CLI::App* verb, const std::string& name, std::optional<std::string>& target,
                         const std::string& description) {
  return verb->add_option_function<std::string>(
      name, [&target](const std::string& value) { target = value; }, description);
}

void AddSocket(CLI::App* verb, std::string& target) {
  verb->add_option("SOCKET", target, "ID or sockets/ID")->required()->type_name("");
}

CLI::Option* AddSockets(CLI::App* verb, std::vector<std::string>& target) {
  return verb->add_option("SOCKET", target, "ID or sockets/ID; one or more")->type_name("");
}

CLI::Option* AddRepeated(CLI::App* verb, const std::string& name, std::vector<std::string>& target,
                         const std::string& description) {
  return verb->add_option(name, target, description + "; may be repeated")->allow_extra_args(false);
}

void AddSession(CLI::App* verb, std::string& target) {
  verb->add_option("SESSION", target, "ID or sessions/ID")->required()->type_name("");
}

absl::StatusOr<std::string> ParseSession(const std::string& argument) {
  return InArgument("SESSION", ParseSessionName(argument));
}

absl::StatusOr<std::string> PathFrom(const PathSource& source) {
  if (source.given.has_value()) {
    if (source.given->empty()) return UsageError(std::string(source.option) + " is empty; it must be a file's path");
    return *source.given;
  }
  const char* const value = source.variable == nullptr ? nullptr : std::getenv(source.variable);
  if (value == nullptr) return std::string();
  if (*value == '\0') {
    return UsageError(std::string(source.variable) + " is empty; it must be a file's path, or not be set");
  }
  return std::string(value);
}

absl::StatusOr<std::string> ParseNewId(const std::optional<std::string>& id) {
  if (!id.has_value()) return std::string();
  return InArgument("--id", ParseSocketId(*id));
}

absl::StatusOr<Labels> ParseLabels(const std::vector<std::string>& values, const std::string& option) {
  Labels labels;
  for (const std::string& value : values) {
    SOCKETEER_ASSIGN_OR_RETURN(auto label, InArgument(option, ParseLabel(value)));
    const bool fresh = labels.insert(std::move(label)).second;
    if (!fresh) return UsageError(option + ": " + Quoted(value) + ": the key is given twice");
  }
  return labels;
}

absl::StatusOr<uint32_t> ParseCount(const std::string& argument, const std::string& text, uint32_t min, uint32_t max) {
  uint32_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (error == std::errc() && stop == end && number >= min && number <= max) return number;
  return UsageError(argument + ": " + Quoted(text) + " is not a whole number from " + std::to_string(min) + " to " +
                    std::to_string(max));
}

}  // namespace socketeer::cli
