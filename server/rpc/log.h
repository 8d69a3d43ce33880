// What the daemon has to tell its operator while it serves.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace socketeer::rpc {

enum class Severity { kDebug, kInfo, kWarning, kError };

// One line without an end. May be called on any thread.
using Log = std::function<void(Severity, const std::string& line)>;

// What a line says beside its words: "identity", "uid:0". Keys are the daemon's own, values may be anybody's.
struct LogField {
  std::string_view key;
  std::string value;
  bool is_number = false;
};
using LogFields = std::vector<LogField>;

// A line for each call that ended, for who follows single calls. May be called on any thread.
struct CallLog {
  std::function<bool()> on = [] { return false; };                                // asked before the line is made
  std::function<void(const LogFields& fields)> record = [](const LogFields&) {};  // does not wait
  std::function<void()> end = [] {};                                              // after the last call
};

}  // namespace socketeer::rpc
