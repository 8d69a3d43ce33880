// The daemon's log: lines on the standard error, as text or JSON, by spdlog's default logger.
#pragma once

#include <string>

#include "server/rpc/log.h"

namespace socketeer {

enum class LogFormat { kText, kJson };

// Before the first line: text, from severity info on.
void StartLog();
// From now on. Any thread.
void SetLogFormat(LogFormat format);
void SetLogLevel(rpc::Severity level);

// For all that the server says. Any thread.
void WriteLog(rpc::Severity severity, const std::string& line);
// At every level, as severity info.
void SayAlways(const std::string& line);

// Calls are logged at severity debug. Starts a thread.
rpc::CallLog CallsToLog(LogFormat format);

}  // namespace socketeer
