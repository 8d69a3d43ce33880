// What `nc` was asked to do: netcat's flags, checked.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "socketeer/v1/socket_service.pb.h"

namespace socketeer::cli {

// The flags as they stand on the command line.
struct NcFlags {
  bool listen = false;
  bool udp = false;
  bool unix_domain = false;
  bool shut_down = false;
  bool keep = false;
  std::optional<std::string> wait;
  std::optional<std::string> source;
  std::optional<std::string> source_port;
  std::vector<std::string> where;  // HOST PORT, PORT or PATH
};

struct NcPlan {
  v1::OpenSocketRequest open;
  // What its addresses were typed as, such as `-s "10.0.0.1" -p "80"` and `HOST "10.0.0.2"`; "": not at all.
  std::string own;
  std::string peer;
  absl::Duration wait = absl::InfiniteDuration();
  bool listens = false;
  bool datagrams = false;
  bool unix_domain = false;
  bool shut_down = false;
  bool keeps = false;
};

// INVALID_ARGUMENT names the flag or argument, what was given and what is allowed.
absl::StatusOr<NcPlan> MakeNcPlan(const NcFlags& flags);

}  // namespace socketeer::cli
