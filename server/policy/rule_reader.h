// One rule, from YAML (policy_file.h shows how it looks).
#pragma once

#include <yaml-cpp/yaml.h>

#include "server/policy/groups.h"
#include "server/policy/rule.h"
#include "server/policy/yaml_fields.h"

namespace socketeer::policy {

// `number`: which one it is, from 1.
Rule ReadRule(const YAML::Node& node, size_t number, const Groups& groups, Problems* problems);

}  // namespace socketeer::policy
