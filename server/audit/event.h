// One line of the audit while it is made: a JSON object whose keys are the daemon's words and whose texts may be
// anybody's.
//
//   audit.Record(Event("open", clock.WallNow()).Text("identity", identity).Number("duration_us", 85));
//
// The line is ASCII without control characters, whatever is put in: other characters are escaped, what is no UTF-8
// becomes U+FFFD, and what is too long, by itself or with what stands before it, is cut and ends in "...". So a line is
// always one line, and JSON.
#pragma once

#include <concepts>
#include <string>
#include <string_view>
#include <vector>

#include "server/base/clock.h"

namespace socketeer::audit {

// One text in the line, escaped, without what tells that it was cut.
inline constexpr size_t kMaxTextBytes = 512;
// All texts of a line together, but for those three dots that stand for what is left out: so a line is at most 4 KiB.
inline constexpr size_t kMaxLineTextBytes = 3 << 10;
inline constexpr size_t kMaxLineBytes = 4 << 10;
// Texts in one list.
inline constexpr size_t kMaxTexts = 16;

// A plain value. Keys must be letters and underscores.
class Event {
 public:
  Event(std::string_view event, base::WallTime time);

  // Absent when it is empty.
  Event& Text(std::string_view key, std::string_view text);
  // Absent when it is empty. More than there may be are left out, and "..." stands in their place.
  Event& Texts(std::string_view key, const std::vector<std::string>& texts);
  Event& Number(std::string_view key, std::integral auto number) { return Raw(key, std::to_string(number)); }
  // In microseconds; the key should say so. One that is negative, because the wall clock jumped, is 0.
  Event& Microseconds(std::string_view key, std::chrono::nanoseconds duration);
  // Absent when it is not so.
  Event& Yes(std::string_view key, bool so) { return so ? Raw(key, "true") : *this; }
  Event& Time(std::string_view key, base::WallTime time);

  // The whole line, with its end.
  std::string Line() const { return text_ + "}\n"; }

 private:
  Event& Raw(std::string_view key, std::string_view value);
  void Quote(std::string_view text);

  std::string text_;
  size_t left_ = kMaxLineTextBytes;  // for texts
};

}  // namespace socketeer::audit
