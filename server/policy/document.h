// A file of an operator's, in YAML: its text, and the one document in it.
#pragma once

#include <string>

#include "server/base/result.h"
#include "server/policy/yaml_fields.h"
#include "yaml/text.h"

namespace socketeer::policy {

// Its text. Errors, messages for the operator, of which each begins with `what` and the file's name: it cannot be read,
// is larger than `most` bytes, is not a file, or others than its owner may write it.
base::Result<std::string> ReadOperatorFile(const std::string& what, const std::string& file, size_t most);

// Hands the document in `text` to `read`, and answers with the first problem, "policy.yaml:12: ...", or "". No
// document, and a second one, are problems. `empty`: what is missing where there is none.
std::string ReadDocument(const std::string& text, const std::string& file, const std::string& empty,
                         const yaml::ReadRootNode& read);

}  // namespace socketeer::policy
