#include "server/main/supervision.h"

#include <pthread.h>
#include <spdlog/spdlog.h>
#include <time.h>

#include <algorithm>
#include <cerrno>
#include <string>

#include "absl/strings/str_join.h"
#include "server/main/logging.h"

namespace socketeer {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

constexpr milliseconds kDrainStep{1'000};  // it is told how a drain goes on
// With what is before and after the drain: only then may the service manager take the daemon for stuck.
constexpr milliseconds kDrainSlack{5'000};

// Who asks more often is not told as often: a loop may take that long for a turn.
constexpr microseconds kShortestStep{10'000};
constexpr int kEnds[] = {SIGTERM, SIGINT};

class Supervisor {
 public:
  Supervisor(rpc::Server& server, const ServiceManager& manager, const sigset_t& signals, rpc::Severity level)
      : server_(server),
        manager_(manager),
        signals_(signals),
        level_(level),
        // systemd counts from the last word it heard: half of its time is what sd_watchdog_enabled(3) advises, and the
        // loops' answer is seen one step after the question.
        step_(manager.watchdog().count() == 0 ? microseconds(0) : std::max(kShortestStep, manager.watchdog() / 4)),
        next_pulse_(Time::now() + step_) {}

  void TellReady() const { Tell("READY=1\nSTATUS=Serving on " + absl::StrJoin(server_.addresses(), ", ")); }

  // Returns with the signal that ends the daemon.
  int AwaitEnd() {
    while (true) {
      const int number = AwaitSignal();
      if (number == SIGTERM || number == SIGINT) return number;
      // Also behind a signal: many of them must not keep it from being told that all is well.
      if (step_.count() > 0 && Time::now() >= next_pulse_) FeelPulse();
      if (number == SIGHUP) Reload();
      if (number == SIGUSR1) SetLevel(rpc::Severity::kDebug, "debug: each call is told");
      if (number == SIGUSR2) SetLevel(level_, "as it was set");
    }
  }

  void Drain(int number, milliseconds limit) {
    spdlog::info("draining: signal {}; calls that still run have {} ms", number, limit.count());
    const milliseconds extended = limit + kDrainSlack;
    Tell("STOPPING=1\nSTATUS=Draining\nEXTEND_TIMEOUT_USEC=" + std::to_string(microseconds(extended).count()));
    const milliseconds watched = std::chrono::ceil<milliseconds>(step_);
    const milliseconds step = watched.count() == 0 ? kDrainStep : std::min(watched, kDrainStep);
    auto told = kDrainStep;  // time that has passed since the last line
    const uint32_t cut_off = server_.Drain(limit, step, [&](uint32_t calls, milliseconds left) {
      FeelPulse();
      told += step;
      if (told < kDrainStep) return;
      told = milliseconds(0);
      const std::string status =
          std::to_string(calls) + " calls still run, " + std::to_string(left.count()) + " ms left";
      spdlog::info("draining: {}", status);
      Tell("STATUS=Draining: " + status);
    });
    if (cut_off == 0) return spdlog::info("drained");
    spdlog::warn("drained: {} calls had not ended in time and were cut off", cut_off);
  }

 private:
  using Time = std::chrono::steady_clock;

  // 0: there was none, and it is time to look after the loops.
  int AwaitSignal() const {
    int number = 0;
    if (step_.count() == 0) return sigwait(&signals_, &number) == 0 ? number : 0;
    const auto left = std::max(Time::duration(0), next_pulse_ - Time::now());
    const auto seconds = std::chrono::floor<std::chrono::seconds>(left);
    const timespec limit{.tv_sec = seconds.count(), .tv_nsec = std::chrono::nanoseconds(left - seconds).count()};
    number = sigtimedwait(&signals_, nullptr, &limit);
    return number > 0 ? number : 0;
  }

  void FeelPulse() {
    if (step_.count() == 0) return;
    next_pulse_ = Time::now() + step_;
    const bool turn = server_.LoopsTurn();
    if (turn) Tell("WATCHDOG=1");
    if (!turn && well_)
      spdlog::error("an event loop does not turn: the service manager is no longer told that all is well");
    well_ = turn;
  }

  static void SetLevel(rpc::Severity level, const char* what) {
    SetLogLevel(level);
    SayAlways(std::string("the log's level is ") + what);
  }

  void Reload() {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    const auto time = std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
    Tell("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(std::chrono::floor<microseconds>(time).count()));
    server_.Reload();
    TellReady();
  }

  // That nobody hears it is no reason to stop, but is told, until somebody does again.
  void Tell(const std::string& state) const {
    const auto told = manager_.Tell(state);
    if (!told.ok() && heard_) spdlog::error("{}; this is told once", told.error().message);
    heard_ = told.ok();
  }

  rpc::Server& server_;
  const ServiceManager& manager_;
  const sigset_t& signals_;
  const rpc::Severity level_;
  const microseconds step_;  // zero: nobody asks
  std::chrono::steady_clock::time_point next_pulse_;
  bool well_ = true;
  mutable bool heard_ = true;
};

}  // namespace

sigset_t BlockSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int each : kEnds) sigaddset(&signals, each);
  for (const int each : {SIGHUP, SIGUSR1, SIGUSR2}) sigaddset(&signals, each);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  signal(SIGPIPE, SIG_IGN);
  return signals;
}

void Supervise(rpc::Server& server, const ServiceManager& manager, const sigset_t& signals, const Settings& settings) {
  Supervisor supervisor(server, manager, signals, settings.log_level);
  supervisor.TellReady();
  const int number = supervisor.AwaitEnd();
  // A second one of these ends us at once.
  sigset_t ends;
  sigemptyset(&ends);
  for (const int each : kEnds) sigaddset(&ends, each);
  pthread_sigmask(SIG_UNBLOCK, &ends, nullptr);
  supervisor.Drain(number, settings.drain_timeout);
}

}  // namespace socketeer
