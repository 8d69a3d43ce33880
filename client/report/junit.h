// JUnit's XML, as CI systems read it.
#pragma once

#include <string>

#include "client/report/result.h"

namespace socketeer::report {

// A suite for each file, a case for each scenario. A failure is what the hosts did otherwise than the file says; an
// error is what kept it from being found out: a value that was refused, a daemon out of reach, a signal.
std::string ToJunit(const RunResult& result);

}  // namespace socketeer::report
