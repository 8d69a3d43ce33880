// The daemon's settings: a YAML file, the environment, and flags. What stands later in this line wins.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "server/main/logging.h"
#include "server/rpc/server.h"

namespace socketeer {

// Do not start, but say this: for --help and --version (status 0) or a wrong setting (1).
struct Farewell {
  std::string text;
  int exit_status = 0;
};

struct Settings {
  rpc::ServerSettings server;                  // all but the limits
  std::vector<std::string> keep_capabilities;  // names that confinement.h knows
  std::chrono::milliseconds drain_timeout{4'000};
  LogFormat log_format = LogFormat::kText;
  rpc::Severity log_level = rpc::Severity::kInfo;
};

// From the command line and the environment. `activated`: sockets to serve were given by whoever started us, so that
// none need be named.
std::variant<Settings, Farewell> ReadSettings(int argc, char** argv, bool activated);

// $XDG_RUNTIME_DIR/socketeer.sock; /run/socketeer.sock for root. "" when there is neither.
std::string DefaultListen();

std::optional<LogFormat> ParseLogFormat(const std::string& text);     // "text", "json"
std::optional<rpc::Severity> ParseLogLevel(const std::string& text);  // "debug", "info", "warning", "error"
// "4s"; from 0 to an hour.
std::optional<std::chrono::milliseconds> ParseDrainTimeout(const std::string& text);

}  // namespace socketeer
