// What the daemon has to tell its operator while it serves.
#pragma once

#include <functional>
#include <string>

namespace socketeer::rpc {

enum class Severity { kInfo, kError };

// One line without an end. May be called on any thread.
using Log = std::function<void(Severity, const std::string& line)>;

}  // namespace socketeer::rpc
