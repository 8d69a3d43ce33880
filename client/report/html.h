// A run as one page that needs nothing besides itself: no script, no font, no picture, no network.
#pragma once

#include <string>

#include "client/report/result.h"

namespace socketeer::report {

// What did not go well comes first. What is left out, so that a browser can show the rest, is told where it is missing.
std::string ToHtml(const RunResult& result);

}  // namespace socketeer::report
