// Arguments that several verbs have.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/status/statusor.h"

namespace socketeer::cli {

using Labels = std::map<std::string, std::string>;

// The largest number that a system call's int takes.
inline constexpr uint32_t kMaxInt = std::numeric_limits<int32_t>::max();

// An option that knows an empty value from none. `target` outlives the parsing, here and below.
CLI::Option* AddOptional(CLI::App* verb, const std::string& name, std::optional<std::string>& target,
                         const std::string& description);

// The first argument: SOCKET, or SOCKET...
void AddSocket(CLI::App* verb, std::string& target);
CLI::Option* AddSockets(CLI::App* verb, std::vector<std::string>& target);

// An option that may be repeated, one value each time.
CLI::Option* AddRepeated(CLI::App* verb, const std::string& name, std::vector<std::string>& target,
                         const std::string& description);

// A required argument SESSION, and what it means.
void AddSession(CLI::App* verb, std::string& target);
absl::StatusOr<std::string> ParseSession(const std::string& argument);

// A file's path, from an option or from the variable that stands for it.
struct PathSource {
  const std::optional<std::string>& given;
  const char* option;
  const char* variable;  // counts when the option is not given; null: never
};
// "": neither is there. One that is there and empty, as of a script's variable that is not set, is refused: it must not
// turn TLS off.
absl::StatusOr<std::string> PathFrom(const PathSource& source);

// "" when there is no --id.
absl::StatusOr<std::string> ParseNewId(const std::optional<std::string>& id);

// The values of --label, or of another `option`; a key that stands there twice is an error.
absl::StatusOr<Labels> ParseLabels(const std::vector<std::string>& values, const std::string& option = "--label");

// A whole number from min to max; the error names `argument`.
absl::StatusOr<uint32_t> ParseCount(const std::string& argument, const std::string& text, uint32_t min, uint32_t max);

}  // namespace socketeer::cli
