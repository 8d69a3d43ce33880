#include "client/cli/run_halt.h"

#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "client/cli/interrupt.h"

namespace socketeer::cli {
namespace {

// Whether `first` is ready, when one is.
bool AwaitEither(int first, int second) {
  std::array<pollfd, 2> wait{{{first, POLLIN, 0}, {second, POLLIN, 0}}};
  while (poll(wait.data(), wait.size(), -1) < 0 && errno == EINTR) {
  }
  return wait[0].revents != 0;
}

}  // namespace

RunHalt::RunHalt()
    : interrupts_(WatchInterruptsAtLeisure()), thread_([this] {
        if (AwaitEither(interrupts_, done_.fd())) {
          halt_.Stop({.verdict = report::Verdict::kInterrupted, .text = "interrupted"});
        }
      }) {}

RunHalt::~RunHalt() {
  done_.Signal();
  thread_.join();
}

void RunHalt::AwaitEnter() const {
  if (AwaitEither(interrupts_, STDIN_FILENO)) return;
  char piece[256];
  (void)!read(STDIN_FILENO, piece, sizeof(piece));  // the line; its end, or what is wrong, is as good
}

}  // namespace socketeer::cli
