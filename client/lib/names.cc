#include "socketeer/names.h"

#include <cstddef>

#include "socketeer/status_macros.h"
#include "socketeer/text.h"

namespace socketeer {
namespace {

// A collection of the API, and what one of it is called.
struct Collection {
  std::string_view prefix;
  std::string_view noun;
};

constexpr Collection kSockets = {"sockets/", "socket"};
constexpr Collection kSessions = {"sessions/", "session"};
constexpr Collection kBarriers = {"barriers/", "barrier"};
constexpr Collection kValues = {"values/", "value"};
constexpr size_t kMaxIdBytes = 63;
constexpr size_t kMaxLabelKeyBytes = 63;
constexpr size_t kMaxLabelValueBytes = 255;
constexpr std::string_view kLower = "abcdefghijklmnopqrstuvwxyz";
constexpr std::string_view kDigits = "0123456789";

bool Contains(std::string_view set, char c) { return set.find(c) != std::string_view::npos; }

bool IsId(std::string_view id) {
  if (id.empty() || id.size() > kMaxIdBytes || !Contains(kLower, id[0])) return false;
  for (const char c : id) {
    if (!Contains(kLower, c) && !Contains(kDigits, c) && c != '-') return false;
  }
  return true;
}

bool IsLabelKey(std::string_view key) {
  if (key.empty() || key.size() > kMaxLabelKeyBytes) return false;
  if (!Contains(kLower, key[0]) && !Contains(kDigits, key[0])) return false;
  for (const char c : key) {
    if (!Contains(kLower, c) && !Contains(kDigits, c) && !Contains("._/-", c)) return false;
  }
  return true;
}

absl::StatusOr<std::string> ParseId(const Collection& collection, std::string_view text) {
  if (IsId(text)) return std::string(text);
  return absl::InvalidArgumentError(Quoted(text) + " is not a " + std::string(collection.noun) +
                                    " id: a small letter, then up to 62 small letters, digits and '-'");
}

absl::StatusOr<std::string> ParseName(const Collection& collection, std::string_view text) {
  const std::string prefix(collection.prefix);
  const bool prefixed = text.starts_with(prefix);
  if (!IsId(prefixed ? text.substr(prefix.size()) : text)) {
    return absl::InvalidArgumentError(Quoted(text) + " is not a " + std::string(collection.noun) + ": ID or " + prefix +
                                      "ID, where ID is a small letter, then up to 62 small letters, digits and '-'");
  }
  return (prefixed ? "" : prefix) + std::string(text);
}

}  // namespace

absl::StatusOr<std::string> ParseSocketId(std::string_view text) { return ParseId(kSockets, text); }

absl::StatusOr<std::string> ParseSocketName(std::string_view text) { return ParseName(kSockets, text); }

absl::StatusOr<std::string> ParseSessionId(std::string_view text) { return ParseId(kSessions, text); }

absl::StatusOr<std::string> ParseSessionName(std::string_view text) { return ParseName(kSessions, text); }

absl::StatusOr<std::string> ParseBarrierName(std::string_view text) { return ParseName(kBarriers, text); }

absl::StatusOr<std::string> ParseValueName(std::string_view text) { return ParseName(kValues, text); }

absl::Status CheckHostName(std::string_view name) {
  if (IsId(name)) return absl::OkStatus();
  return absl::InvalidArgumentError(
      Quoted(name) + " is not a host's name: a small letter, then up to 62 small letters, digits and '-'");
}

absl::Status CheckLabelKey(std::string_view key) {
  if (IsLabelKey(key)) return absl::OkStatus();
  return absl::InvalidArgumentError(
      Quoted(key) + " is not a label's key: a small letter or digit, then up to 62 of those and of '._/-'");
}

absl::Status CheckLabelValue(std::string_view value) {
  if (value.size() <= kMaxLabelValueBytes && IsUtf8(value)) return absl::OkStatus();
  return absl::InvalidArgumentError(Quoted(value) + " is not a label's value: at most 255 bytes of UTF-8");
}

absl::StatusOr<std::pair<std::string, std::string>> ParseLabel(std::string_view text) {
  const size_t equals = text.find('=');
  if (equals == std::string_view::npos) {
    return absl::InvalidArgumentError(Quoted(text) + " is not a label: KEY=VALUE");
  }
  const std::string_view key = text.substr(0, equals);
  const std::string_view value = text.substr(equals + 1);
  SOCKETEER_RETURN_IF_ERROR(CheckLabelKey(key));
  if (!CheckLabelValue(value).ok()) {
    return absl::InvalidArgumentError(Quoted(text) + " is not a label: a value is at most 255 bytes of UTF-8");
  }
  return std::pair(std::string(key), std::string(value));
}

}  // namespace socketeer
