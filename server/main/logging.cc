#include "server/main/logging.h"

#include <spdlog/formatter.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "absl/time/time.h"
#include "server/base/printable.h"

namespace socketeer {
namespace {

constexpr size_t kMaxField = 4'096;  // bytes of a value in a line of text

// Of the line that this thread is just writing; spdlog formats it on the same thread. Null: it has none.
thread_local const rpc::LogFields* fields_of_line = nullptr;

const char* WordOf(spdlog::level::level_enum level) {
  switch (level) {
    case spdlog::level::trace:
    case spdlog::level::debug:
      return "debug";
    case spdlog::level::info:
      return "info";
    case spdlog::level::warn:
      return "warning";
    default:
      return "error";
  }
}

// {"time":"2026-11-23T12:00:00.000000Z","level":"info","message":"drained"}
class JsonFormatter final : public spdlog::formatter {
 public:
  void format(const spdlog::details::log_msg& line, spdlog::memory_buf_t& out) override {
    nlohmann::ordered_json object;
    object["time"] = absl::FormatTime("%Y-%m-%dT%H:%M:%E6SZ", absl::FromChrono(line.time), absl::UTCTimeZone());
    object["level"] = WordOf(line.level);
    object["message"] = std::string_view(line.payload.data(), line.payload.size());
    if (fields_of_line != nullptr) {
      for (const auto& [key, value] : *fields_of_line) object[std::string(key)] = value;
    }
    // ASCII alone; what is no UTF-8 becomes U+FFFD.
    const std::string text = object.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace) + "\n";
    out.append(text.data(), text.data() + text.size());
  }
  std::unique_ptr<spdlog::formatter> clone() const override { return std::make_unique<JsonFormatter>(); }
};

// spdlog's own form, and behind the words key="value".
class TextFormatter final : public spdlog::formatter {
 public:
  void format(const spdlog::details::log_msg& line, spdlog::memory_buf_t& out) override {
    if (fields_of_line == nullptr) return whole_.format(line, out);
    spdlog::details::log_msg with_fields = line;
    std::string text(line.payload.data(), line.payload.size());
    for (const auto& [key, value] : *fields_of_line) {
      text += " " + std::string(key) + "=\"" + base::Printable(value, kMaxField) + "\"";
    }
    with_fields.payload = text;
    whole_.format(with_fields, out);
  }
  std::unique_ptr<spdlog::formatter> clone() const override { return std::make_unique<TextFormatter>(); }

 private:
  spdlog::pattern_formatter whole_;
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

}  // namespace

void StartLog() {
  spdlog::set_default_logger(spdlog::stderr_logger_mt("socketeerd"));
  SetLogFormat(LogFormat::kText);
}

void SetLogFormat(LogFormat format) {
  if (format == LogFormat::kJson) return spdlog::set_formatter(std::make_unique<JsonFormatter>());
  spdlog::set_formatter(std::make_unique<TextFormatter>());
}

void SetLogLevel(rpc::Severity level) { spdlog::set_level(LevelOf(level)); }

void WriteLog(rpc::Severity severity, const std::string& line) { spdlog::log(LevelOf(severity), "{}", line); }

rpc::CallLog CallsToLog() {
  return {.on = [] { return spdlog::should_log(spdlog::level::debug); },
          .record =
              [](const rpc::LogFields& fields) {
                fields_of_line = &fields;
                spdlog::debug("call");
                fields_of_line = nullptr;
              }};
}

}  // namespace socketeer
