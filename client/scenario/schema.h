// The form of a scenario's file for editors.
#pragma once

#include "nlohmann/json.hpp"

namespace socketeer::scenario {

// JSON Schema, draft 2020-12, made of what the reader knows. It admits every scenario that the reader does, and some
// that it does not: which variables there are, and what fits what, the reader alone tells.
nlohmann::ordered_json Schema();

}  // namespace socketeer::scenario
