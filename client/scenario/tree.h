// YAML as a tree of Values.
#pragma once

#include "client/scenario/value.h"
#include "yaml/fields.h"

namespace socketeer::scenario {

// Notes what is too deep, too much, or tagged, keys that are no words, and keys that are given twice.
Value ToTree(const YAML::Node& root, yaml::Problems* problems);

}  // namespace socketeer::scenario
