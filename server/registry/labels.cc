#include "server/registry/labels.h"

#include <algorithm>

namespace socketeer::registry {
namespace {

constexpr size_t kMaxKey = 63;
constexpr size_t kMaxValue = 255;

bool IsLowerOrDigit(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

}  // namespace

bool IsLabelKey(std::string_view key) {
  if (key.empty() || key.size() > kMaxKey || !IsLowerOrDigit(key[0])) return false;
  return std::ranges::all_of(key,
                             [](char c) { return IsLowerOrDigit(c) || c == '.' || c == '_' || c == '/' || c == '-'; });
}

base::Status CheckLabels(const Labels& labels, const base::Limits& limits, const std::string& field) {
  if (labels.size() > limits.max_labels) return base::LimitReached("max_labels", limits.max_labels);
  size_t bytes = 0;
  for (const auto& [key, value] : labels) {
    if (!IsLabelKey(key)) {
      return base::InvalidField(field, key, "keys of the form [a-z0-9][a-z0-9._/-]{0,62}");
    }
    if (value.size() > kMaxValue) {
      return base::InvalidField(field + "." + key, value, "at most 255 bytes");
    }
    bytes += key.size() + value.size();
  }
  if (bytes > limits.max_label_bytes) {
    return base::LimitReached("max_label_bytes", limits.max_label_bytes);
  }
  return base::Ok();
}

}  // namespace socketeer::registry
