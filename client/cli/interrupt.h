// Ctrl-C, SIGTERM and SIGHUP.
#pragma once

#include "socketeer/call_options.h"

namespace socketeer::cli {

// Must run before the process has threads. A first signal cancels the call under way and all later
// ones, which ends the program in order; without one, as with a second signal, the process exits at
// once, with 128 plus the signal's number. Whoever is about to block elsewhere asks
// InterruptSignal() first. A signal that was ignored at the start stays ignored.
// `cancellation` is not owned and outlives the process's last signal.
void StartInterruptHandling(Cancellation* cancellation);

// From now on a first signal that meets no call does not end the process either: whoever calls this looks at the
// descriptor that it returns, readable from the first signal on, whenever it blocks outside of a call. Always the same.
// It then has 5 s to end in order, which no further signal cuts short; behind them the process exits as by the first.
int WatchInterrupts();

// The same, but the program takes its own time to end in order, and a second signal ends it at once.
int WatchInterruptsAtLeisure();

// The signal that came; 0: none.
int InterruptSignal();

}  // namespace socketeer::cli
