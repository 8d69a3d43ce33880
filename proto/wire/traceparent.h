// Of what a call is a part: the metadata `traceparent` of W3C Trace Context.
#pragma once

#include <cstddef>
#include <string_view>

namespace socketeer::wire {

inline constexpr char kTraceparentMetadata[] = "traceparent";
// version "-" trace-id "-" parent-id "-" flags, in small hexadecimal digits (section 3.2).
inline constexpr size_t kTraceparentSize = 55;

// What is none counts as if it were not there (section 4.3). Of a version later than 00 there may be more behind it.
constexpr bool IsTraceparent(std::string_view text) {
  if (text.size() < kTraceparentSize) return false;
  if (text.size() > kTraceparentSize && (text[kTraceparentSize] != '-' || text.substr(0, 2) == "00")) return false;
  for (size_t i = 0; i < kTraceparentSize; ++i) {
    const bool dash = i == 2 || i == 35 || i == 52;
    const bool digit = (text[i] >= '0' && text[i] <= '9') || (text[i] >= 'a' && text[i] <= 'f');
    if (dash ? text[i] != '-' : !digit) return false;
  }
  const auto is_zero = [text](size_t from, size_t count) {
    return text.substr(from, count).find_first_not_of('0') == std::string_view::npos;
  };
  return text.substr(0, 2) != "ff" && !is_zero(3, 32) && !is_zero(36, 16);
}

}  // namespace socketeer::wire
