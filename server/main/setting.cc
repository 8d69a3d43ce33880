#include "server/main/setting.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/time/time.h"
#include "server/base/printable.h"
#include "server/main/confinement.h"
#include "server/main/settings.h"
#include "server/rpc/listener.h"
#include "server/rpc/server.h"

namespace socketeer {
namespace {

constexpr size_t kMaxShown = 100;  // bytes of a value in a message

constexpr char kFilePath[] = "a file's path";
constexpr char kLogFormats[] = "text or json";
constexpr char kLogLevels[] = "debug, info, warning or error";
constexpr char kDurations[] = "a time from 0s to 1h, like 4s or 500ms";
constexpr char kCapabilityNames[] = "the name of a capability, as capabilities(7) lists them, like net_raw";

const std::string& LoopNumbers() {
  static const std::string text = "a number from 1 to " + std::to_string(rpc::kMaxLoops);
  return text;
}

// What the check of an endpoint says is allowed.
std::string AllowedBy(const base::Status& status) {
  if (status.ok()) return "";
  const auto found = status.error().metadata.find("allowed");
  return found == status.error().metadata.end() ? status.error().message : found->second;
}

// Its form alone: what must be there beside it depends on the other settings.
std::string MustBeEndpoint(const std::string& text) {
  return AllowedBy(rpc::CheckEndpoint(text, {.tls = true, .identities = true, .policy = true}));
}

std::string MustBeHealthEndpoint(const std::string& text) {
  return AllowedBy(rpc::CheckPlainEndpoint(rpc::kHealthSetting, text));
}

std::string MustBeMetricsEndpoint(const std::string& text) {
  return AllowedBy(rpc::CheckPlainEndpoint(rpc::kMetricsSetting, text));
}

std::string MustBeLoops(const std::string& text) {
  int loops = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), loops);
  const bool is_one = error == std::errc() && end == text.data() + text.size() && loops >= 1 && loops <= rpc::kMaxLoops;
  return is_one ? "" : LoopNumbers();
}

std::string MustBeDuration(const std::string& text) { return ParseDrainTimeout(text) ? "" : kDurations; }

std::string MustBeLogFormat(const std::string& text) { return ParseLogFormat(text) ? "" : kLogFormats; }

std::string MustBeLogLevel(const std::string& text) { return ParseLogLevel(text) ? "" : kLogLevels; }

std::string MustBeCapability(const std::string& text) { return WrongCapability(text).empty() ? "" : kCapabilityNames; }

std::string MustBePath(const std::string& text) {
  return text.find('\0') == std::string::npos ? "" : std::string(kFilePath) + ", without a NUL byte";
}

Setting File(const char* key, const char* description) {
  return {.key = key,
          .flag = {},
          .type_name = "FILE",
          .description = description,
          .is_list = false,
          .allowed = kFilePath,
          .must_be = MustBePath};
}

std::vector<Setting> MakeSettings() {
  std::vector<Setting> all = {
      {"listen", "", "ENDPOINT",
       "Where callers reach it; repeatable: unix:PATH (mode 0600), 127.0.0.1:PORT or [::1]:PORT; PORT 0 lets the "
       "kernel choose. Default: " +
           (DefaultListen().empty() ? "none" : DefaultListen()),
       true, "an endpoint, or a list of endpoints", MustBeEndpoint},
      {"loops", "", "N", "Event loops, each with a thread, among which the sockets are spread. Default: 1", false,
       LoopNumbers(), MustBeLoops},
      {"health", "", "IP:PORT",
       "Serves grpc.health.v1 in plain text here too, and nothing else, for probes that have no certificate. Any "
       "address; default: nowhere",
       false, "an IP:PORT", MustBeHealthEndpoint},
      {"metrics", "", "IP:PORT",
       "Serves metrics for Prometheus here, GET /metrics in plain HTTP, to whoever asks. Any address; default: nowhere",
       false, "an IP:PORT", MustBeMetricsEndpoint},
      File("tls_cert", "Serves TCP with TLS alone: the certificate, and what leads to its CA, in PEM"),
      File("tls_key", "Its private key, in PEM, without a password"),
      File("client_ca",
           "The CAs that callers' certificates must come from. A caller over TLS without one is refused, unless there "
           "is a --token-file"),
      File("token_file",
           "Tokens, lines NAME sha256:HEX, mode 0600: a caller with one, over TLS or a UNIX socket, is token:NAME"),
      File("policy", "Who may do what to what, in YAML; without it, every caller may do all that this user may"),
      File("audit",
           "Who did what: a line of JSON for each, appended to this file, mode 0600; - is the standard output, which "
           "then has nothing else"),
      File("quotas", "How much each caller, and all together, may use, in YAML"),
      {"log_format", "", "FORMAT", "Lines on the standard error: text, or json, an object each. Default: text", false,
       kLogFormats, MustBeLogFormat},
      {"log_level", "", "LEVEL",
       "What is told there: debug, with each call, info, warning or error. SIGUSR1 sets debug while it runs, SIGUSR2 "
       "this. Default: info",
       false, kLogLevels, MustBeLogLevel},
      {"drain_timeout", "", "TIME",
       "Told to stop, it cuts off after this time the calls that still run: 500ms, 4s, 1m. Default: 4s", false,
       kDurations, MustBeDuration},
      {"keep_capabilities", "--keep-capability", "NAME",
       "Of the capabilities that it is started with, it keeps this one, like net_bind_service; repeatable. Default: "
       "none",
       true, "a list of names like net_raw", MustBeCapability},
  };
  for (Setting& each : all) {
    if (!each.flag.empty()) continue;
    each.flag = "--" + each.key;
    std::replace(each.flag.begin(), each.flag.end(), '_', '-');
  }
  return all;
}

}  // namespace

std::string Setting::variable() const { return "SOCKETEERD_" + absl::AsciiStrToUpper(key); }

const std::vector<Setting>& AllSettings() {
  static const std::vector<Setting> all = MakeSettings();
  return all;
}

const Setting* FindSetting(std::string_view key) {
  const auto& all = AllSettings();
  const auto found = std::find_if(all.begin(), all.end(), [&](const Setting& each) { return each.key == key; });
  return found == all.end() ? nullptr : &*found;
}

std::string SettingKeys() {
  std::string text;
  const auto& all = AllSettings();
  for (size_t i = 0; i < all.size(); ++i) {
    text += (i == 0 ? "" : i + 1 == all.size() ? " and " : ", ") + all[i].key;
  }
  return text;
}

std::string Refusal(const Value& value, const std::string& must_be) {
  return value.subject + " is \"" + base::Printable(value.text, kMaxShown) + "\"; it must be " + must_be;
}

std::string WrongValue(const Setting& setting, const std::vector<Value>& values) {
  for (const Value& value : values) {
    // As of a variable that is not set: it must not turn TLS off.
    if (value.text.empty()) return value.subject + " must be " + setting.allowed + "; it is empty";
    if (const std::string must_be = setting.must_be(value.text); !must_be.empty()) return Refusal(value, must_be);
  }
  return "";
}

std::optional<LogFormat> ParseLogFormat(const std::string& text) {
  if (text == "text") return LogFormat::kText;
  if (text == "json") return LogFormat::kJson;
  return std::nullopt;
}

std::optional<rpc::Severity> ParseLogLevel(const std::string& text) {
  if (text == "debug") return rpc::Severity::kDebug;
  if (text == "info") return rpc::Severity::kInfo;
  if (text == "warning") return rpc::Severity::kWarning;
  if (text == "error") return rpc::Severity::kError;
  return std::nullopt;
}

std::optional<std::chrono::milliseconds> ParseDrainTimeout(const std::string& text) {
  absl::Duration duration;
  if (!absl::ParseDuration(text, &duration) || duration < absl::ZeroDuration() || duration > absl::Hours(1)) {
    return std::nullopt;
  }
  return absl::ToChronoMilliseconds(duration);
}

}  // namespace socketeer
