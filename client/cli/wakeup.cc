#include "client/cli/wakeup.h"

#include <cstdio>
#include <cstdlib>

namespace socketeer::cli {

Wakeup::Wakeup() : fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (fd_ >= 0) return;
  std::perror("socketeer: eventfd");
  std::abort();
}

}  // namespace socketeer::cli
