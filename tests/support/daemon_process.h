// socketeerd as a process of its own, for what cannot be done to the test's own process.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "server/base/fd.h"

namespace socketeer::testing {

// Beside the test's own binary, unless SOCKETEER_BIN says where.
inline std::string DaemonBinary() {
  const char* const folder = std::getenv("SOCKETEER_BIN");
  if (folder != nullptr) return std::string(folder) + "/socketeerd";
  return std::filesystem::read_symlink("/proc/self/exe").parent_path().string() + "/socketeerd";
}

class DaemonProcess {
 public:
  // Serves `unix:socket`, with at most `descriptors`, of which `inherited` are in use from the start. Returns when it
  // serves.
  DaemonProcess(const std::string& socket, rlim_t descriptors, int inherited) {
    int out[2];
    if (pipe2(out, O_CLOEXEC) != 0) std::abort();
    const base::Fd null(open("/dev/null", O_RDWR | O_CLOEXEC));
    const std::string binary = DaemonBinary();
    const std::string listen = "unix:" + socket;
    pid_ = fork();
    if (pid_ == 0) {
      const rlimit limit{.rlim_cur = descriptors, .rlim_max = descriptors};
      dup2(out[1], STDOUT_FILENO);
      for (int i = 0; i < inherited; ++i) {
        if (dup(null.get()) < 0) _exit(126);
      }
      setrlimit(RLIMIT_NOFILE, &limit);
      execl(binary.c_str(), "socketeerd", "--listen", listen.c_str(), nullptr);
      _exit(127);
    }
    close(out[1]);
    const base::Fd reader(out[0]);
    char line[256];
    const ssize_t got = read(reader.get(), line, sizeof(line));  // "listening on ...": it serves
    serves_ = got > 0;
  }
  DaemonProcess(const DaemonProcess&) = delete;
  ~DaemonProcess() {
    if (pid_ > 0) {
      kill(pid_, SIGTERM);
      Wait();
    }
  }

  bool serves() const { return serves_; }
  pid_t pid() const { return pid_; }
  void Signal(int number) const { kill(pid_, number); }
  // Its exit status; negative: the signal that ended it.
  int Wait() {
    int status = 0;
    waitpid(pid_, &status, 0);
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }

 private:
  pid_t pid_ = -1;
  bool serves_ = false;
};

}  // namespace socketeer::testing
