// Patterns of names and paths.
#pragma once

#include <string_view>

namespace socketeer::policy {

// `*` stands for any bytes but '/', `**` for any bytes; all else for itself. In time proportional to both sizes.
bool Matches(std::string_view pattern, std::string_view text);

}  // namespace socketeer::policy
