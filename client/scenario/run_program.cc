#include "client/scenario/run_program.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <optional>
#include <string_view>

#include "socketeer/error.h"
#include "socketeer/text.h"

extern char** environ;

namespace socketeer::scenario {
namespace {

using SteadyTime = std::chrono::steady_clock::time_point;

// Between SIGTERM and SIGKILL.
constexpr std::chrono::seconds kBetweenSignals{1};
constexpr size_t kPiece = 65536;

class OwnFd {
 public:
  explicit OwnFd(int fd = -1) : fd_(fd) {}
  OwnFd(const OwnFd&) = delete;
  OwnFd& operator=(const OwnFd&) = delete;
  ~OwnFd() { Set(-1); }
  int get() const { return fd_; }
  bool open() const { return fd_ >= 0; }
  void Set(int fd) {
    if (fd_ >= 0) close(fd_);
    fd_ = fd;
  }

 private:
  int fd_;
};

struct Pipe {
  OwnFd ours;
  OwnFd theirs;
};

// `we_read`: else we write. Our end does not block.
bool Open(Pipe& made, bool we_read) {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return false;
  made.ours.Set(ends[we_read ? 0 : 1]);
  made.theirs.Set(ends[we_read ? 1 : 0]);
  return fcntl(made.ours.get(), F_SETFL, O_NONBLOCK) == 0;
}

// While it lives a pipe without a reader is an error, and does not end this program.
class WithoutSigpipe {
 public:
  WithoutSigpipe() {
    sigemptyset(&pipe_);
    sigaddset(&pipe_, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
  }
  WithoutSigpipe(const WithoutSigpipe&) = delete;
  WithoutSigpipe& operator=(const WithoutSigpipe&) = delete;
  ~WithoutSigpipe() {
    const timespec now{};
    if (!sigismember(&before_, SIGPIPE)) (void)sigtimedwait(&pipe_, nullptr, &now);  // takes the one that came
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }

 private:
  sigset_t pipe_, before_;
};

std::string SignalName(int number) {
  const char* const name = sigabbrev_np(number);
  return name == nullptr ? std::to_string(number) : std::string("SIG") + name;
}

// One program that runs.
class Process {
 public:
  // 0, or an errno.
  int Start(const std::vector<std::string>& command);
  // Until it has ended, with its group.
  absl::Status Carry(std::string_view input, Halt& halt, absl::Duration within);
  nlohmann::json Answer() const;

 private:
  void Write(std::string_view& input);
  // One piece. False: there is none now.
  bool Read(Pipe& pipe, std::string& text);
  // Reaps it; what it left behind in its group is killed before its number can be another's.
  void Finish();
  int Spawn(const std::vector<std::string>& command);

  Pipe stdin_, stdout_, stderr_;
  OwnFd process_;
  pid_t pid_ = -1;
  std::string out_, err_;
  bool truncated_ = false;
  int status_ = 0;
};

int Process::Spawn(const std::vector<std::string>& command) {
  posix_spawn_file_actions_t files;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&files);
  posix_spawnattr_init(&attributes);
  posix_spawn_file_actions_adddup2(&files, stdin_.theirs.get(), STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&files, stdout_.theirs.get(), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&files, stderr_.theirs.get(), STDERR_FILENO);
  posix_spawn_file_actions_addclosefrom_np(&files, STDERR_FILENO + 1);
  // This program waits for some signals in a thread, and blocks them elsewhere: the new one shall not.
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  std::vector<char*> arguments;
  for (const std::string& each : command) arguments.push_back(const_cast<char*>(each.c_str()));
  arguments.push_back(nullptr);
  const int failed = posix_spawnp(&pid_, arguments[0], &files, &attributes, arguments.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&files);
  return failed;
}

int Process::Start(const std::vector<std::string>& command) {
  if (!Open(stdin_, false) || !Open(stdout_, true) || !Open(stderr_, true)) return errno;
  if (const int failed = Spawn(command)) return failed;
  process_.Set(static_cast<int>(syscall(SYS_pidfd_open, pid_, 0)));
  if (!process_.open()) {
    const int failed = errno;
    kill(-pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    return failed;
  }
  for (Pipe* const pipe : {&stdin_, &stdout_, &stderr_}) pipe->theirs.Set(-1);
  return 0;
}

void Process::Write(std::string_view& input) {
  const WithoutSigpipe without;
  while (!input.empty()) {
    const ssize_t written = write(stdin_.ours.get(), input.data(), std::min(input.size(), kPiece));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0 && errno == EAGAIN) return;
    if (written < 0) break;  // it does not read any more, which is its own affair
    input.remove_prefix(static_cast<size_t>(written));
  }
  stdin_.ours.Set(-1);
}

bool Process::Read(Pipe& pipe, std::string& text) {
  std::array<char, kPiece> piece;
  const ssize_t got = read(pipe.ours.get(), piece.data(), piece.size());
  if (got < 0 && (errno == EINTR || errno == EAGAIN)) return false;
  if (got <= 0) {
    pipe.ours.Set(-1);
    return false;
  }
  const size_t kept = std::min(static_cast<size_t>(got), kMaxProgramOutput - text.size());
  text.append(piece.data(), kept);
  truncated_ = truncated_ || kept < static_cast<size_t>(got);
  return true;
}

void Process::Finish() {
  siginfo_t info{};
  while (waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOWAIT) != 0 && errno == EINTR) {
  }
  kill(-pid_, SIGKILL);
  while (waitpid(pid_, &status_, 0) < 0 && errno == EINTR) {
  }
  // What it wrote itself is there. Who left its group may go on writing, and is not waited for.
  for (size_t i = 0; i < kMaxProgramOutput / kPiece && Read(stdout_, out_); ++i) {
  }
  for (size_t i = 0; i < kMaxProgramOutput / kPiece && Read(stderr_, err_); ++i) {
  }
}

absl::Status Process::Carry(std::string_view input, Halt& halt, absl::Duration within) {
  const OwnFd halted(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  const Halt::Listener listener(halt, [&](const Halt::Reason&) { (void)eventfd_write(halted.get(), 1); });
  SteadyTime deadline = std::chrono::steady_clock::now() + absl::ToChronoNanoseconds(within);
  absl::Status ended;
  bool killed = false;
  while (true) {
    std::array<pollfd, 5> wait{{{process_.get(), POLLIN, 0},
                                {stdout_.ours.get(), POLLIN, 0},
                                {stderr_.ours.get(), POLLIN, 0},
                                {stdin_.ours.get(), POLLOUT, 0},
                                {ended.ok() ? halted.get() : -1, POLLIN, 0}}};
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    const int timeout = killed ? -1 : static_cast<int>(std::clamp<int64_t>(left.count(), 0, 3'600'000));
    (void)poll(wait.data(), wait.size(), timeout);  // EINTR: nothing is ready, and it is looked again
    if (wait[3].revents != 0) Write(input);
    if (wait[1].revents != 0) Read(stdout_, out_);
    if (wait[2].revents != 0) Read(stderr_, err_);
    if (wait[0].revents != 0) break;
    const bool late = std::chrono::steady_clock::now() >= deadline;
    if (ended.ok() && (late || wait[4].revents != 0)) {
      ended = late ? TimedOutError("it did not end in time, and was killed") : absl::CancelledError("killed");
      kill(-pid_, SIGTERM);
      deadline = std::chrono::steady_clock::now() + kBetweenSignals;
    } else if (!ended.ok() && late && !killed) {
      killed = true;
      kill(-pid_, SIGKILL);
    }
  }
  Finish();
  return ended;
}

nlohmann::json Process::Answer() const {
  nlohmann::json answer{{"stdout", out_}, {"stderr", err_}};
  if (WIFSIGNALED(status_)) {
    answer["signal"] = SignalName(WTERMSIG(status_));
  } else {
    answer["status"] = WEXITSTATUS(status_);
  }
  if (truncated_) answer["truncated"] = true;
  return answer;
}

}  // namespace

Outcome RunProgram(const std::vector<std::string>& command, const std::string& input, Halt& halt,
                   absl::Duration within) {
  Outcome outcome;
  Process process;
  if (const int failed = process.Start(command)) {
    outcome.status = absl::AbortedError("cannot run " + Quoted(command[0]) + ": " + std::string(std::strerror(failed)));
    return outcome;
  }
  outcome.status = process.Carry(input, halt, within);
  outcome.answer = process.Answer();
  return outcome;
}

}  // namespace socketeer::scenario
