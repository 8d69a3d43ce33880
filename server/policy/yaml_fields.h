// The strict reader of YAML, as the daemon's files have it.
#pragma once

#include <string>
#include <string_view>

#include "yaml/fields.h"

namespace socketeer::policy {

using yaml::Fields;
using yaml::Problems;
using yaml::Word;

// What was given, safe in a message.
std::string Quoted(std::string_view text);

}  // namespace socketeer::policy
