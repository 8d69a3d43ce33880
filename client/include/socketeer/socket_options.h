// Socket options as people write them: NAME=VALUE. The names are the fields of
// socketeer.v1.SocketOptions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "socketeer/v1/options.pb.h"

namespace socketeer {

struct OptionText {
  std::string name;
  std::string value;
};

// Every option there is, with the values that it takes in place of a value: {"nodelay", "on or
// off"}.
std::vector<OptionText> KnownOptions();

// INVALID_ARGUMENT unless there is such an option.
absl::Status CheckOptionName(std::string_view name);

// Sets the one option of "nodelay=on", "rcvbuf=4096" or "linger=5" (seconds; or "off").
// INVALID_ARGUMENT names the option and what it takes; also when it was set before.
absl::Status SetOption(std::string_view assignment, v1::SocketOptions* options);

// Those that are set, in a notation that SetOption reads.
std::vector<OptionText> FormatOptions(const v1::SocketOptions& options);

}  // namespace socketeer
