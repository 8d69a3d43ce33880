// Patterns of names and paths.
#pragma once

#include <string_view>

namespace socketeer::policy {

// `*` stands for any bytes but '/', `**` for any bytes; all else for itself. A name in the abstract namespace, "@...",
// has no folders: there `*` is `**`. In time proportional to the product of both sizes.
bool Matches(std::string_view pattern, std::string_view text);

}  // namespace socketeer::policy
