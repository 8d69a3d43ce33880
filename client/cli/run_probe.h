// The probe steps of scenarios.
#pragma once

#include "client/cli/cli.h"
#include "client/scenario/run.h"

namespace socketeer::cli {

// Its HOST:PORT is a participant at the data address that the hosts file gives it, or any other address. `cli` outlives
// it.
scenario::Prober MakeProber(const Cli& cli);

}  // namespace socketeer::cli
