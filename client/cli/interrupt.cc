#include "client/cli/interrupt.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "client/cli/exit_code.h"
#include "client/cli/wakeup.h"

namespace socketeer::cli {
namespace {

// More than the calls that close things may take together: three of a second each.
constexpr std::chrono::seconds kClosingTime{5};

std::atomic<int> interrupt_signal{0};
std::atomic<const Wakeup*> interrupt_watched{nullptr};
std::atomic<bool> interrupt_at_leisure{false};

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
    const bool heard = cancellation->Cancel();
    const Wakeup* const watched = interrupt_watched.load();
    if (watched != nullptr) watched->Signal();
    if (interrupt_at_leisure.load()) {
      if (first) continue;
    } else if (watched != nullptr) {
      std::this_thread::sleep_for(kClosingTime);  // because that is its time; signals stay blocked
    }
    if (watched != nullptr || !first || !heard) _exit(kExitSignal + signal);
  }
}

}  // namespace

void StartInterruptHandling(Cancellation* cancellation) {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    if (!IsIgnored(signal)) sigaddset(&signals, signal);
  }
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::thread(HandleSignals, signals, cancellation).detach();
}

int WatchInterrupts() {
  static const Wakeup& wakeup = *new Wakeup;  // never destroyed: the thread above uses it to the end
  interrupt_watched.store(&wakeup);
  if (interrupt_signal.load() != 0) wakeup.Signal();
  return wakeup.fd();
}

int WatchInterruptsAtLeisure() {
  interrupt_at_leisure.store(true);
  return WatchInterrupts();
}

int InterruptSignal() { return interrupt_signal.load(); }

}  // namespace socketeer::cli
