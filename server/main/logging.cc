#include "server/main/logging.h"

#include <spdlog/async.h>
#include <spdlog/formatter.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "absl/strings/str_replace.h"
#include "absl/time/time.h"
#include "server/base/printable.h"

namespace socketeer {
namespace {

// What is told at every level is no alarm: it is shown as information.
constexpr auto kAlways = spdlog::level::critical;
constexpr size_t kMaxField = 4'096;  // bytes of a value in a line of text

// Between the words and the fields of a line about a call; the fields are written as the format has them.
constexpr char kFieldsBegin = '\0';

// ASCII alone; what is no UTF-8 becomes U+FFFD.
std::string Quoted(std::string_view text) {
  return nlohmann::json(text).dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
}

const char* WordOf(spdlog::level::level_enum level) {
  switch (level) {
    case spdlog::level::trace:
    case spdlog::level::debug:
      return "debug";
    case spdlog::level::info:
      return "info";
    case spdlog::level::warn:
      return "warning";
    case kAlways:
      return "info";
    default:
      return "error";
  }
}

// What goes behind a line's words: ` key="value"`, or `,"key":"value"`.
std::string FieldsAs(LogFormat format, const rpc::LogFields& fields) {
  std::string text;
  for (const auto& [key, value, is_number] : fields) {
    if (format == LogFormat::kJson) {
      text += ",\"" + std::string(key) + "\":" + (is_number ? value : Quoted(value));
    } else {
      // Printable() has doubled backslashes already.
      const std::string shown = absl::StrReplaceAll(base::Printable(value, kMaxField), {{"\"", "\\\""}});
      text += " " + std::string(key) + "=\"" + shown + "\"";
    }
  }
  return text;
}

// {"time":"2026-11-23T12:00:00.000000Z","level":"info","message":"drained"}, or spdlog's own form. `fields`: for lines
// about calls; in others a byte that begins them is a byte like any.
class Formatter final : public spdlog::formatter {
 public:
  Formatter(LogFormat format, bool fields) : format_(format), fields_(fields) {}

  void format(const spdlog::details::log_msg& line, spdlog::memory_buf_t& out) override {
    const std::string_view payload(line.payload.data(), line.payload.size());
    const size_t end = fields_ ? std::min(payload.find(kFieldsBegin), payload.size()) : payload.size();
    const std::string_view words = payload.substr(0, end), fields = payload.substr(std::min(end + 1, payload.size()));
    std::string text;
    if (format_ == LogFormat::kJson) {
      const std::string time =
          absl::FormatTime("%Y-%m-%dT%H:%M:%E6SZ", absl::FromChrono(line.time), absl::UTCTimeZone());
      text = "{\"time\":\"" + time + "\",\"level\":\"" + WordOf(line.level) + "\",\"message\":" + Quoted(words) +
             std::string(fields) + "}\n";
      out.append(text.data(), text.data() + text.size());
      return;
    }
    text =
        absl::StrReplaceAll(std::string(words), {{"\n", "\\n"}}) + std::string(fields);  // one line, whatever it tells
    spdlog::details::log_msg whole = line;
    if (whole.level == kAlways) whole.level = spdlog::level::info;
    whole.payload = text;
    pattern_.format(whole, out);
  }
  std::unique_ptr<spdlog::formatter> clone() const override { return std::make_unique<Formatter>(format_, fields_); }

 private:
  const LogFormat format_;
  const bool fields_;
  spdlog::pattern_formatter pattern_{"[%Y-%m-%d %H:%M:%S.%e] [socketeerd] [%l] %v"};
};

spdlog::level::level_enum LevelOf(rpc::Severity severity) {
  switch (severity) {
    case rpc::Severity::kDebug:
      return spdlog::level::debug;
    case rpc::Severity::kInfo:
      return spdlog::level::info;
    case rpc::Severity::kWarning:
      return spdlog::level::warn;
    case rpc::Severity::kError:
      return spdlog::level::err;
  }
  return spdlog::level::err;
}

// Lines about calls go through a queue, on a thread of its own: whoever is slow to read the log must hold up no call.
// When the queue is full the oldest are lost, which is told.
class CallLines {
 public:
  explicit CallLines(LogFormat format)
      : format_(format),
        pool_(std::make_shared<spdlog::details::thread_pool>(kMaxQueued, 1)),
        logger_(std::make_shared<spdlog::async_logger>("calls", std::make_shared<spdlog::sinks::stderr_sink_mt>(),
                                                       pool_, spdlog::async_overflow_policy::overrun_oldest)) {
    logger_->set_level(spdlog::level::trace);  // who writes has asked whether calls are told
    logger_->set_formatter(std::make_unique<Formatter>(format, true));
  }

  void Write(const rpc::LogFields& fields) {
    std::lock_guard lock(mutex_);
    if (!pool_) return;
    logger_->log(spdlog::level::debug, "call" + std::string(1, kFieldsBegin) + FieldsAs(format_, fields));
    const size_t lost = pool_->overrun_counter();
    const auto now = std::chrono::steady_clock::now();
    if (lost == told_ || now < next_) return;
    next_ = now + std::chrono::seconds(1);
    logger_->log(spdlog::level::warn,
                 std::to_string(lost - told_) + " lines about calls were lost: nobody read the log in time");
    told_ = lost;
  }

  // What is queued is written; what comes later is not.
  void End() {
    std::shared_ptr<spdlog::details::thread_pool> ended;
    {
      std::lock_guard lock(mutex_);
      ended.swap(pool_);
    }
  }

 private:
  static constexpr size_t kMaxQueued = 4'096;

  const LogFormat format_;
  std::mutex mutex_;  // guards all below
  std::shared_ptr<spdlog::details::thread_pool> pool_;
  const std::shared_ptr<spdlog::async_logger> logger_;
  size_t told_ = 0;
  std::chrono::steady_clock::time_point next_{};
};

}  // namespace

void StartLog() {
  spdlog::set_default_logger(spdlog::stderr_logger_mt("socketeerd"));
  SetLogFormat(LogFormat::kText);
}

void SetLogFormat(LogFormat format) { spdlog::set_formatter(std::make_unique<Formatter>(format, false)); }

void SetLogLevel(rpc::Severity level) { spdlog::set_level(LevelOf(level)); }

void WriteLog(rpc::Severity severity, const std::string& line) { spdlog::log(LevelOf(severity), "{}", line); }

void SayAlways(const std::string& line) { spdlog::log(kAlways, "{}", line); }

rpc::CallLog CallsToLog(LogFormat format) {
  const auto lines = std::make_shared<CallLines>(format);
  return {.on = [] { return spdlog::should_log(spdlog::level::debug); },
          .record = [lines](const rpc::LogFields& fields) { lines->Write(fields); },
          .end = [lines] { lines->End(); }};
}

}  // namespace socketeer
