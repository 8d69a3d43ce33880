#include "server/rpc/grpc_log.h"

#include <strings.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <string_view>
#include <utility>

#include "server/base/printable.h"

namespace socketeer::rpc {
namespace {

// What goes wrong by itself is told whole; a flood of it fills no disk: some 2 MB a day.
constexpr uint32_t kLinesAtOnce = 10;
constexpr std::chrono::seconds kOneLineIn{10};
// gRPC's traces have lines of any length.
constexpr size_t kMaxMessageChars = 1'024;

// Of this process; never freed, for gRPC's threads end at no time that we know.
GrpcLog* routed = nullptr;

std::string_view FileOf(std::string_view path) { return path.substr(path.rfind('/') + 1); }

std::string LinesWord(uint64_t count) { return std::to_string(count) + (count == 1 ? " line" : " lines"); }

bool AsksForMoreThanErrors(const char* verbosity) {
  return verbosity != nullptr && (strcasecmp(verbosity, "DEBUG") == 0 || strcasecmp(verbosity, "INFO") == 0);
}

}  // namespace

GrpcLog::GrpcLog(Log log, const base::Clock& clock, bool all)
    : log_(std::move(log)), clock_(clock), all_(all), room_(kLinesAtOnce), refilled_(clock.Now()) {}

bool GrpcLog::MayTell() {
  if (all_) return true;
  const auto times = (clock_.Now() - refilled_) / kOneLineIn;
  refilled_ += times * kOneLineIn;
  room_ = static_cast<uint32_t>(std::min<int64_t>(room_ + times, kLinesAtOnce));
  if (room_ == 0) return false;
  --room_;
  return true;
}

void GrpcLog::Tell(const gpr_log_func_args& line) {
  std::lock_guard lock(mutex_);
  if (ended_) return;
  if (!MayTell()) {
    ++left_out_;
    return;
  }
  std::string text = "grpc: " + std::string(FileOf(line.file)) + ":" + std::to_string(line.line) + ": " +
                     base::Printable(line.message, kMaxMessageChars);
  if (left_out_ > 0) text += " (" + LinesWord(std::exchange(left_out_, 0)) + " of gRPC before this left out)";
  log_(line.severity == GPR_LOG_SEVERITY_ERROR ? Severity::kError : Severity::kInfo, text);
}

void GrpcLog::End() {
  std::lock_guard lock(mutex_);
  if (!ended_ && left_out_ > 0) log_(Severity::kError, "grpc: " + LinesWord(left_out_) + " of gRPC left out");
  ended_ = true;
}

void RouteGrpcLog(Log log) {
  routed = new GrpcLog(std::move(log), base::SystemClock(), AsksForMoreThanErrors(std::getenv("GRPC_VERBOSITY")));
  gpr_set_log_function([](gpr_log_func_args* line) { routed->Tell(*line); });
}

void EndGrpcLog() { routed->End(); }

}  // namespace socketeer::rpc
