// YAML as text: one document, read without fear of what yaml-cpp takes for endless ones.
#pragma once

#include <yaml-cpp/yaml.h>

#include <functional>
#include <optional>
#include <string>

#include "yaml/fields.h"

namespace socketeer::yaml {

// The one document of a text; none when it holds nothing but blanks and comments. Throws YAML::Exception, whose mark is
// the place, when it is no YAML or has a second document.
std::optional<YAML::Node> LoadDocument(const std::string& text);

// Hands the document in `text` to `read`, which tells `problems` what is wrong; so is that there is no document, where
// `empty` says what is missing, or a second one.
using ReadRootNode = std::function<void(const YAML::Node& root, Problems* problems)>;
void ReadDocument(const std::string& text, const std::string& empty, const ReadRootNode& read, Problems* problems);

}  // namespace socketeer::yaml
