// What this process uses, under the names that Prometheus' own libraries give it.
#pragma once

#include "server/base/clock.h"
#include "server/metrics/page.h"

namespace socketeer::metrics {

// `started`: when it began to serve.
void AddProcess(base::WallTime started, Page* page);

}  // namespace socketeer::metrics
