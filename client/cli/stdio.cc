#include "client/cli/stdio.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <thread>
#include <utility>

#include "client/cli/interrupt.h"
#include "socketeer/status_macros.h"
#include "socketeer/text.h"

namespace socketeer::cli {
namespace {

constexpr size_t kReadBytes = 256 << 10;

}  // namespace

absl::Status WriteAll(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = write(fd, bytes.data(), bytes.size());
    if (written >= 0) {
      bytes.remove_prefix(static_cast<size_t>(written));
    } else if (errno != EINTR) {
      return absl::DataLossError(std::string("cannot write the output: ") + std::strerror(errno));
    }
  }
  return absl::OkStatus();
}

void EndWithReader() {
  std::thread([] {
    // Only an error is waited for. A file has none; of a terminal it is the end of it.
    pollfd output = {.fd = STDOUT_FILENO, .events = 0, .revents = 0};
    while (poll(&output, 1, -1) < 0 && errno == EINTR) continue;
    if ((output.revents & POLLERR) != 0) kill(getpid(), SIGPIPE);
  }).detach();
}

Input::Input(int fd, std::string name, bool owned) : fd_(fd), name_(std::move(name)), owned_(owned) {}

Input::Input(Input&& other) noexcept
    : fd_(other.fd_), name_(std::move(other.name_)), owned_(std::exchange(other.owned_, false)) {}

Input::~Input() {
  if (owned_) close(fd_);
}

Input Input::Standard() { return Input(STDIN_FILENO, "standard input", false); }

absl::StatusOr<Input> Input::File(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return absl::InvalidArgumentError(Quoted(path) + ": " + std::strerror(errno));
  return Input(fd, Quoted(path), true);
}

absl::StatusOr<std::string> Input::Read(size_t max) const {
  // A signal may have met the call before, which then succeeded all the same.
  if (InterruptSignal() != 0) return absl::CancelledError("interrupted");
  std::string bytes(max, '\0');
  ssize_t count = 0;
  do {
    count = read(fd_, bytes.data(), bytes.size());
  } while (count < 0 && errno == EINTR);
  if (count < 0) {
    return absl::InvalidArgumentError("cannot read " + name_ + ": " + std::strerror(errno));
  }
  bytes.resize(static_cast<size_t>(count));
  return bytes;
}

absl::StatusOr<std::string> Input::ReadAll(size_t max, const std::string& what) const {
  std::string all;
  while (true) {
    SOCKETEER_ASSIGN_OR_RETURN(const std::string bytes, Read(std::min(kReadBytes, max + 1)));
    if (bytes.empty()) return all;
    all += bytes;
    if (all.size() > max) {
      return absl::InvalidArgumentError(name_ + " has more than " + std::to_string(max) + " bytes, the most that " +
                                        what + " may have");
    }
  }
}

}  // namespace socketeer::cli
