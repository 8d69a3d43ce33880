// A socket's labels: a caller's own marks.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "server/base/limits.h"
#include "server/base/result.h"

namespace socketeer::registry {

using Labels = std::map<std::string, std::string>;

// [a-z0-9][a-z0-9._/-]{0,62}
bool IsLabelKey(std::string_view key);

// INVALID_FIELD naming `field` ("labels") or its entry ("labels.Foo"), or LIMIT_REACHED.
base::Status CheckLabels(const Labels& labels, const base::Limits& limits, const std::string& field);

}  // namespace socketeer::registry
