// The daemon's settings: flags, and a YAML file whose keys are the flags' names. A flag wins over the file.
#pragma once

#include <string>
#include <variant>
#include <vector>

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
};

// From the command line.
std::variant<Settings, Farewell> ReadSettings(int argc, char** argv);

// $XDG_RUNTIME_DIR/socketeer.sock; /run/socketeer.sock for root. "" when there is neither.
std::string DefaultListen();

}  // namespace socketeer
