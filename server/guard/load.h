// A policy from its file, fit to be enforced.
#pragma once

#include <string>

#include "server/base/result.h"
#include "server/guard/guard.h"

namespace socketeer::guard {

// Reads and parses it, and tries its cases: one that fails makes it unfit. Errors are for the operator: one line.
base::Result<PolicyPtr> LoadPolicy(const std::string& file);

}  // namespace socketeer::guard
