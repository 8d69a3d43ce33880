// The hosts of a hosts file, from YAML. Private to the library.
#pragma once

#include <yaml-cpp/yaml.h>

#include <string>
#include <vector>

#include "socketeer/hosts_file.h"
#include "yaml/fields.h"

namespace socketeer::internal {

// `folder`: the file's, where relative paths begin; "": the current one.
std::vector<HostEntry> ReadHosts(const YAML::Node& root, const std::string& folder, yaml::Problems* problems);

}  // namespace socketeer::internal
