#include "client/cli/interrupt.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "client/cli/exit_code.h"

namespace socketeer::cli {
namespace {

std::atomic<int> interrupt_signal{0};

bool IsIgnored(int signal) {
  struct sigaction action;
  return sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

// Waits in a thread of its own, so that it may do what a signal handler may not.
void HandleSignals(sigset_t signals, Cancellation* cancellation) {
  while (true) {
    int signal = 0;
    if (sigwait(&signals, &signal) != 0) continue;
    const bool first = interrupt_signal.exchange(signal) == 0;
    if (!first || !cancellation->Cancel()) _exit(kExitSignal + signal);
  }
}

}  // namespace

void StartInterruptHandling(Cancellation* cancellation) {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGINT, SIGTERM}) {
    if (!IsIgnored(signal)) sigaddset(&signals, signal);
  }
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::thread(HandleSignals, signals, cancellation).detach();
}

int InterruptSignal() { return interrupt_signal.load(); }

}  // namespace socketeer::cli
